"""Reads a message as a question: its text without the bot's mention, its mentions and files. Pure.

Messages from events and from the Web API are read in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.files import GONE_MODES
from bot.render.incoming.message import ReadMessage, read_message
from bot.render.incoming.mrkdwn import without_mention
from bot.render.incoming.payload import as_int, mapping_items
from bot.values import File

USER_MENTION = re.compile(r"<@([A-Z0-9_]+)(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class QuestionContent:
    """The content of a question, with the fields of `Question`.

    `text` is "" if the message has only mentions and files without text.
    """

    text: str
    mentions: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    unreadable: tuple[str, ...] = ()


def read_question(message: Mapping[str, Any], bot_user_ids: Set[str]) -> QuestionContent:
    """Read the question in a message; `bot_user_ids` are our own user ids."""
    read = read_message(message)
    return QuestionContent(
        _question_text(read, bot_user_ids), read.mentions, _files(message), read.unreadable
    )


def own_mentions(text: str, bot_user_ids: Set[str]) -> Iterator[str]:
    """The mentions of the bot in `text`, as ids in the form that is used there."""
    ours = {normalise_user_id(one) for one in bot_user_ids}
    return (
        one for one in dict.fromkeys(USER_MENTION.findall(text)) if normalise_user_id(one) in ours
    )


def normalise_user_id(user: str) -> str:
    """A user id with U at its start: Enterprise Grid may use W for the same user."""
    return "U" + user[1:] if user[:1] == "W" else user


def _question_text(read: ReadMessage, bot_user_ids: Set[str]) -> str:
    text = read.text if read.has_words else ""
    for one in own_mentions(text, bot_user_ids):
        text = without_mention(text, one)
    return text


def question_file(file: Mapping[str, Any]) -> File | None:
    """Read a file object of Slack; None if it is empty, or if the file is gone."""
    if not file.get("id") or file.get("mode") in GONE_MODES:
        return None
    return File(
        id=str(file["id"]),
        name=str(file.get("name") or file.get("title") or file["id"]),
        mimetype=str(file.get("mimetype") or ""),
        size=as_int(file.get("size")),
        url=str(file.get("url_private_download") or file.get("url_private") or ""),
    )


def _files(message: Mapping[str, Any]) -> tuple[File, ...]:
    read = map(question_file, mapping_items(message.get("files")))
    return tuple(file for file in read if file)
