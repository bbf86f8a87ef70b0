"""Compares the messages in Slack with the wanted ones, and returns the next step. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.render.message import MessageBody


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message of the answer in Slack. `body` is None if its content is unknown."""

    ts: str
    body: MessageBody | None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what message `index` of the answer shows."""

    index: int
    body: MessageBody


@dataclass(frozen=True, slots=True)
class Post:
    """Post message `index` of the answer."""

    index: int
    body: MessageBody


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete message `index`, the last one: the answer became shorter."""

    index: int


Step: TypeAlias = Edit | Post | Delete


def next_step(
    shown: Sequence[PostedMessage], wanted: Sequence[MessageBody], *, skip: Collection[int] = ()
) -> Step | None:
    """Return the next step that turns `shown` into `wanted`; None if they are equal.

    Messages are edited from the first to the last, so that a reader never finds a gap. Messages
    whose index is in `skip` are not edited.
    """
    for index, (message, body) in enumerate(zip(shown, wanted, strict=False)):
        if message.body != body and index not in skip:
            return Edit(index, body)
    if len(wanted) > len(shown):
        return Post(len(shown), wanted[len(shown)])
    if len(shown) > len(wanted):
        return Delete(len(shown) - 1)
    return None
