"""What a message asks us: its words without our name, and what stands beside them. Pure.

A question is read in one way only, whether an event brings it or Slack's history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.message import ReadMessage, read_message
from bot.render.incoming.mrkdwn import without_mention
from bot.render.incoming.payload import items, number
from bot.values import File

MENTION = re.compile(r"<@([A-Z0-9_]+)(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Asked:
    """`text` is "" where nobody wrote words; the rest is as `Question` has it."""

    text: str
    mentions: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    unreadable: tuple[str, ...] = ()


def asked_of(message: Mapping[str, Any], ids: Set[str]) -> Asked:
    """Return what a message asks; `ids` are our own user ids."""
    read = read_message(message)
    return Asked(_words(read, ids), read.mentions, _files(message), read.unreadable)


def spellings(text: str, ids: Set[str]) -> Iterator[str]:
    """The ids that stand for us in `text`, as they are written there."""
    ours = {same_user(one) for one in ids}
    return (one for one in dict.fromkeys(MENTION.findall(text)) if same_user(one) in ours)


def same_user(user: str) -> str:
    """One name for a user: Enterprise Grid may write W where the workspace writes U."""
    return "U" + user[1:] if user[:1] == "W" else user


def _words(read: ReadMessage, ids: Set[str]) -> str:
    text = read.text if read.has_words else ""
    for one in spellings(text, ids):
        text = without_mention(text, one)
    return text


def _files(message: Mapping[str, Any]) -> tuple[File, ...]:
    return tuple(
        File(
            id=str(file["id"]),
            name=str(file.get("name") or file.get("title") or file["id"]),
            mimetype=str(file.get("mimetype") or ""),
            size=number(file.get("size")),
            url=str(file.get("url_private_download") or file.get("url_private") or ""),
        )
        for file in items(message.get("files"))
        if file.get("id")
    )
