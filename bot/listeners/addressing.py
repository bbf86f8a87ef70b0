"""Who wrote a message, and whether it speaks to us. Pure.

The text and the blocks of a message say who is spoken to. The type of its event does not: Slack
sends `app_mention` for more than it says. Words that are quoted, code, forwarded or attached are
somebody else's, so a mention there speaks to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.question import USER_MENTION, normalise_user_id

Payload = Mapping[str, Any]

ASKING_SUBTYPES = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes under which people write (docs/slack.md#message-subtypes)."""

ASKING_BOT_SUBTYPES = ASKING_SUBTYPES | {"bot_message"}
"""Subtypes under which bots and workflows write."""

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
_QUOTED = re.compile(r"^(?:&gt;|>).*$", re.M)
_QUOTED_TO_END = re.compile(r"^(?:&gt;|>){3}.*", re.M | re.S)

_SKIPPED_TYPES = frozenset(
    {"rich_text_quote", "rich_text_preformatted", "actions", "input", "button", "plain_text"}
)
"""Blocks and elements whose words are not the writer's, or in which no mention works."""

_CONTENT_FIELDS = ("elements", "text", "fields", "rows", "blocks")
"""Fields of a block that hold what people read in it."""


@dataclass(frozen=True, slots=True)
class BotIdentifiers:
    """The bot as payloads name it, and the other bots that it answers (ids of bots or apps)."""

    user_id: str
    bot_id: str
    answer_bots: frozenset[str] = frozenset()

    def user_ids(self, body: Payload) -> frozenset[str]:
        """Our user ids: that of `auth.test`, and what the payload says our bot's user is."""
        authorizations = body.get("authorizations")
        named = {
            str(one["user_id"])
            for one in (authorizations if isinstance(authorizations, list) else ())
            if isinstance(one, Mapping) and one.get("is_bot") and one.get("user_id")
        }
        return frozenset({self.user_id, *named})


def mentions_any(event: Payload, ids: Set[str]) -> bool:
    """Whether a message mentions one of `user_ids` in words of its own."""
    ours = {normalise_user_id(one) for one in ids}
    text = event.get("text")
    if isinstance(text, str) and not ours.isdisjoint(_mentioned(text)):
        return True
    return not ours.isdisjoint(_mentioned_in_blocks(event.get("blocks")))


def is_by_person(message: Payload, ids: Set[str]) -> bool:
    """Whether a person wrote it; neither a bot, a workflow, nor Slack itself."""
    return (
        message.get("subtype") in ASKING_SUBTYPES
        and not bot_id_of(message)
        and not message.get("hidden")
        and bool(message.get("user"))
        and message.get("user") not in {*ids, "USLACKBOT"}
    )


def is_by_allowed_bot(event: Payload, body: Payload, us: BotIdentifiers) -> bool:
    """Whether a bot or workflow wrote it that is to be answered. It is never ourselves, under any
    of our names, and has said all it wants to say."""
    names = set(_bot_ids(event))
    app = body.get("api_app_id")
    return (
        not names.isdisjoint(us.answer_bots)
        and us.bot_id not in names
        and event.get("user") not in us.user_ids(body)
        and not (app and app in names)
        and event.get("subtype") in ASKING_BOT_SUBTYPES
        and event.get("streaming_state") != "in_progress"
        and not event.get("hidden")
    )


def bot_id_of(message: Payload) -> str:
    """The id of the bot, or else the app, that wrote a message; "" for a person's."""
    return next(_bot_ids(message), "bot" if message.get("subtype") == "bot_message" else "")


def _bot_ids(message: Payload) -> Iterator[str]:
    """All ids of the bot and the app behind a message."""
    profile = message.get("bot_profile")
    inner = profile if isinstance(profile, Mapping) else {}
    if not (message.get("bot_id") or inner or message.get("subtype") == "bot_message"):
        return
    names = (message.get("bot_id"), inner.get("id"), message.get("app_id"), inner.get("app_id"))
    for value in names:
        if isinstance(value, str) and value:
            yield value


def _mentioned(text: str) -> Iterator[str]:
    """Users mentioned in mrkdwn, outside quotes and code."""
    own = _QUOTED.sub(" ", _QUOTED_TO_END.sub(" ", _CODE.sub(" ", text)))
    return (normalise_user_id(one) for one in USER_MENTION.findall(own))


def _mentioned_in_blocks(blocks: Any) -> Iterator[str]:
    """Users mentioned in blocks. Walks without recursion: how deep blocks nest, others decide."""
    waiting = [blocks]
    while waiting:
        match waiting.pop():
            case list(several):
                waiting += several
            case {"type": str(kind)} if kind in _SKIPPED_TYPES:
                pass
            case {"type": "user", "user_id": str(user), **more}:
                if not _is_code(more):
                    yield normalise_user_id(user)
            case {"type": "mrkdwn" | "markdown", "text": str(text)}:
                yield from _mentioned(text)
            case dict(block):
                waiting += [block[name] for name in _CONTENT_FIELDS if name in block]


def _is_code(element: Mapping[Any, Any]) -> bool:
    style = element.get("style")
    return isinstance(style, Mapping) and bool(style.get("code"))
