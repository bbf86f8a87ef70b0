"""The order of a thread: one live answer at a time, and the word that ends it. Pure."""

from __future__ import annotations

import re

from bot.history.anew import asks_anew
from bot.values import Place, Question

_STOP = re.compile(r"stop(?=$|[\s,.;:!?…。、])\W*", re.IGNORECASE)


def thread_of(question: Question) -> str | None:
    """Name the thread in which a question has its place in order; None where there is no order.

    A command is part of no thread; a mention without a word, and the word that begins a new
    conversation, wait for nothing.
    """
    if asks_anew(question) or not (question.text or question.files):
        return None
    return name_of(question.place)


def name_of(place: Place) -> str | None:
    """Name the thread at a place, if there is one."""
    return f"{place.team}:{place.channel}:{place.thread_ts}" if place.thread_ts else None


def after_stop(text: str) -> str | None:
    """Return what follows a leading "stop", "" if nothing does; None without one."""
    found = _STOP.match(text.strip())
    return text.strip()[found.end() :] if found else None
