"""Decides who wrote a message, and whether it mentions the bot. Pure.

A mention is looked for in the text and blocks, because Slack also sends `app_mention` for messages
that do not address the bot. Mentions in quotes, code, forwarded messages and attachments don't
count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.question import USER_MENTION, normalise_user_id

Payload = Mapping[str, Any]

ASKING_SUBTYPES = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of messages that people write (docs/slack.md#message-subtypes)."""

ASKING_BOT_SUBTYPES = ASKING_SUBTYPES | {"bot_message"}
"""Subtypes of messages that bots and workflows write."""

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)
_QUOTED = re.compile(r"^(?:&gt;|>).*$", re.M)
_QUOTED_TO_END = re.compile(r"^(?:&gt;|>){3}.*", re.M | re.S)

_GROUP_MENTION = re.compile(r"<(!(?:here|channel|everyone|subteam\^[A-Z0-9]+))(?:\|[^<>]*)?>")

_SKIPPED_TYPES = frozenset(
    {"rich_text_quote", "rich_text_preformatted", "actions", "input", "button", "plain_text"}
)
"""Blocks and elements whose text is not the author's, or in which mentions don't work."""

_CONTENT_FIELDS = ("elements", "text", "fields", "rows", "blocks")
"""Fields of a block that hold its visible text."""


@dataclass(frozen=True, slots=True)
class BotIdentifiers:
    """The bot's ids in payloads, and the ids of bots or apps that it answers (`answer_bots`)."""

    user_id: str
    bot_id: str
    answer_bots: frozenset[str] = frozenset()

    def user_ids(self, body: Payload) -> frozenset[str]:
        """Our user ids: the one of `auth.test`, and those that the payload names as its bot's."""
        authorizations = body.get("authorizations")
        named = {
            str(one["user_id"])
            for one in (authorizations if isinstance(authorizations, list) else ())
            if isinstance(one, Mapping) and one.get("is_bot") and one.get("user_id")
        }
        return frozenset({self.user_id, *named})


def mentions_any(event: Payload, ids: Set[str]) -> bool:
    """Whether a message mentions one of these user ids in its own text."""
    ours = {normalise_user_id(one) for one in ids}
    text = event.get("text")
    if isinstance(text, str) and not ours.isdisjoint(_mentioned(text)):
        return True
    return not ours.isdisjoint(_mentioned_in_blocks(event.get("blocks")))


def mentions_others(event: Payload, ids: Set[str]) -> bool:
    """Whether a message mentions somebody else than these user ids in its own text: a user, a user
    group, or everybody in the channel."""
    ours = {normalise_user_id(one) for one in ids}
    text = event.get("text")
    named = {*(_mentioned(text) if isinstance(text, str) else ())}
    named.update(_mentioned_in_blocks(event.get("blocks")))
    return not named <= ours


def is_ours(message: Payload, us: BotIdentifiers) -> bool:
    """Whether we wrote a message."""
    return message.get("user") == us.user_id or message.get("bot_id") == us.bot_id


def is_by_person(message: Payload, ids: Set[str]) -> bool:
    """Whether a person wrote a message, not a bot, a workflow or Slack itself."""
    return (
        message.get("subtype") in ASKING_SUBTYPES
        and not bot_id_of(message)
        and not message.get("hidden")
        and bool(message.get("user"))
        and message.get("user") not in {*ids, "USLACKBOT"}
    )


def is_by_allowed_bot(event: Payload, body: Payload, us: BotIdentifiers) -> bool:
    """Whether one of `answer_bots` wrote a message.

    Our own messages never count, nor do messages that are still being streamed.
    """
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
    """The id of the bot, or else of the app, that wrote a message; "" if a person did."""
    return next(_bot_ids(message), "bot" if message.get("subtype") == "bot_message" else "")


def _bot_ids(message: Payload) -> Iterator[str]:
    """All ids of the bot and the app that wrote a message."""
    profile = message.get("bot_profile")
    inner = profile if isinstance(profile, Mapping) else {}
    if not (message.get("bot_id") or inner or message.get("subtype") == "bot_message"):
        return
    names = (message.get("bot_id"), inner.get("id"), message.get("app_id"), inner.get("app_id"))
    for value in names:
        if isinstance(value, str) and value:
            yield value


def _mentioned(text: str) -> Iterator[str]:
    """Ids of users, and names of groups, that mrkdwn mentions outside quotes and code."""
    own = _QUOTED.sub(" ", _QUOTED_TO_END.sub(" ", _CODE.sub(" ", text)))
    yield from (normalise_user_id(one) for one in USER_MENTION.findall(own))
    yield from _GROUP_MENTION.findall(own)


def _mentioned_in_blocks(blocks: Any) -> Iterator[str]:
    """What `_mentioned` finds in text. Not recursive: the sender decides how deep blocks nest."""
    pending = [blocks]
    while pending:
        match pending.pop():
            case list(several):
                pending += several
            case {"type": str(kind)} if kind in _SKIPPED_TYPES:
                pass
            case {"type": "user", "user_id": str(user), **more}:
                if not _is_code(more):
                    yield normalise_user_id(user)
            case {"type": "usergroup" | "broadcast" as kind, **more}:
                if not _is_code(more):
                    yield f"!{kind}"
            case {"type": "mrkdwn" | "markdown", "text": str(text)}:
                yield from _mentioned(text)
            case dict(block):
                pending += [block[name] for name in _CONTENT_FIELDS if name in block]


def _is_code(element: Mapping[Any, Any]) -> bool:
    style = element.get("style")
    return isinstance(style, Mapping) and bool(style.get("code"))
