"""What tests of delivery use: questions, drafts, a turn guard, and faults of the fake Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot.delivery.config import DeliveryConfig
from bot.delivery.delivery import Delivery
from bot.storage.records import ShownMessage
from bot.values import Draft, Phase, Place, Question
from tests.unit.delivery.fake_slack import Call, FakeSlack, Fault, connect

THINKING = Draft(Phase.ASKING)
ROOT = "900.1"


def writing(text: str) -> Draft:
    return Draft(Phase.STREAMING, text)


def done(text: str) -> Draft:
    return Draft(Phase.DONE, text)


def question(n: int = 0, *, channel: str = "", **changes: Any) -> Question:
    """A mention in a channel, with its ts above the answer."""
    fields: dict[str, Any] = {
        "id": f"turn{n}",
        "keys": (f"Ev{n}",),
        "place": Place("T1", channel or f"C{n}", "channel", ROOT),
        "user": "U1",
        "text": "Why?",
        "ts": ROOT,
    }
    return Question(**{**fields, **changes})


def command(*, public: bool = False) -> Question:
    """A slash command in a channel."""
    place = Place("T1", "C1", "command")
    url = "https://hooks.slack.com/commands/T1/1/x"
    return question(place=place, ts=None, response_url=url, public=public)


@asynccontextmanager
async def open_delivery(fake: FakeSlack, **config: Any) -> AsyncIterator[Delivery]:
    """Delivery to this Slack, closed at the end."""
    delivery = Delivery(connect(fake), DeliveryConfig(**config))
    try:
        yield delivery
    finally:
        await delivery.aclose()


def words(count: int) -> str:
    """A text of so many different words, in paragraphs."""
    lines = [" ".join(f"w{n}" for n in range(i, min(i + 20, count))) for i in range(0, count, 20)]
    return "\n\n".join(lines)


TEXT = words(600)


async def write_answer(fake: FakeSlack, text: str = TEXT) -> None:
    """One answer of ten seconds from beginning to end, and its cleanup."""
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        for n in range(100):
            reply.show(writing(text[: len(text) * n // 100]))
            await asyncio.sleep(0.1)
        await reply.finish(done(text))
        await asyncio.sleep(120)


def full_text(fake: FakeSlack) -> str:
    """All messages as one text."""
    return "\n\n".join(message.markdown for message in fake.messages.values())


class MemoryGuard:
    """A `TurnGuard` in memory. `lease_checks` counts the calls of `owns_lease`, `layout_changes`
    those of `before_layout_change`."""

    def __init__(self) -> None:
        self.has_lease = self.can_journal = True
        self.lease_checks = 0
        self.messages: tuple[ShownMessage, ...] = ()
        self.texts: list[str] = []
        self.layout_changes = 0

    def owns_lease(self) -> bool:
        self.lease_checks += 1
        return self.has_lease

    def record_messages(self, messages: Sequence[ShownMessage], text: str) -> None:
        self.messages = tuple(messages)
        self.texts.append(text)

    async def before_layout_change(self) -> bool:
        self.layout_changes += 1
        return self.can_journal

    async def before_unverifiable_send(self) -> None:
        await asyncio.sleep(0)


def shown_messages(fake: FakeSlack) -> tuple[ShownMessage, ...]:
    """All messages, as a turn guard records them."""
    return tuple(ShownMessage(m.ts, m.channel) for m in fake.messages.values())


def fail_once(method: str, fault: str | int, *, after: int = 0) -> Fault:
    """One call of a method fails: the one after `after` others."""
    calls = 0

    def inject(call: Call) -> str | int | None:
        nonlocal calls
        if call.method != method:
            return None
        calls += 1
        return fault if calls == after + 1 else None

    return inject


def fail_always(
    method: str, fault: str | int, *, when: Callable[[Call], bool] = lambda _: True
) -> Fault:
    """Every such call of a method fails."""
    return lambda call: fault if call.method == method and when(call) else None
