"""The order of a thread: one live answer at a time, and the word that ends it. Pure."""

from __future__ import annotations

import re

from bot.values import Place, Question

_STOP = re.compile(r"stop(?=$|[\s,.;:!?…。、])\W*", re.IGNORECASE)


def thread_of(question: Question) -> str | None:
    """Name the thread in which a question has its place in order; None where there is no order.

    A command is part of no thread, and a mention without a word waits for nothing.
    """
    return name_of(question.place) if question.text or question.files else None


def name_of(place: Place) -> str | None:
    """Name the thread at a place, if there is one."""
    return f"{place.team}:{place.channel}:{place.thread_ts}" if place.thread_ts else None


def after_stop(text: str) -> str | None:
    """Return what follows a leading "stop", "" if nothing does; None without one."""
    found = _STOP.match(text.strip())
    return text.strip()[found.end() :] if found else None
