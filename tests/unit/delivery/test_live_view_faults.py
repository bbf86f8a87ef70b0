"""Response URLs that fail, expire or are refused: an ephemeral answer ends once, in some place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.delivery.ephemeral.reply import POSSIBLE_DUPLICATE_NOTICE
from bot.render.buttons import SHARE_ACTION
from tests.support.virtual_time import now
from tests.unit.delivery.ephemeral import ends, private, write
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.hooks import COMMAND, Hooks, Use, buttons, markdown, state
from tests.unit.delivery.room import done, words, writing

Fault = Callable[[Use], str | int | None]


def only(kind: str, fault: str | int, times: int = 99) -> Fault:
    """The first uses of one kind go wrong: `text`, `end` or `below`."""
    left = times

    def inject(use: Use) -> str | int | None:
        nonlocal left
        found = (
            "below"
            if use.url == COMMAND
            else "end"
            if SHARE_ACTION in buttons(use.body)
            else "text"
        )
        if found != kind or not left:
            return None
        left -= 1
        return fault

    return inject


ONCE = [
    *(("text", fault, times) for fault in (500, "lost", "429:3") for times in (1, 4)),
    *(("end", fault, times) for fault in (500, "lost", "429:3") for times in (1, 2)),
]


@pytest.mark.parametrize(("kind", "fault", "times"), ONCE)
@pytest.mark.parametrize("rate", [6.0, 40.0, 400.0])
async def test_live_view_shows_one_final_message_after_transient_failures(
    kind: str, fault: str | int, times: int, rate: float
) -> None:
    hooks, text = Hooks(fault=only(kind, fault, times)), words(900)
    async with private(hooks) as reply:
        reply.add_response_url(hooks.press(), live=True)
        await write(reply, text, rate=rate)
        await reply.finish(done(text))
    assert ends(hooks, text) == 1
    assert hooks.below == []


async def test_live_view_counts_a_final_message_of_an_unconfirmed_fifth_use_as_sent() -> None:
    hooks, text = Hooks(fault=only("end", "lost", 1)), words(1500)
    async with private(hooks) as reply:
        url = hooks.press()
        reply.add_response_url(url, live=True)
        await write(reply, text, rate=6)
        await reply.finish(done(text))
    assert len(hooks.taken(url)) == 5
    assert hooks.uses[-1].outcome == "used_url"
    assert ends(hooks, text) == 1
    assert hooks.below == []


@pytest.mark.parametrize("kind", ["text", "end"])
@pytest.mark.parametrize("fault", ["used_url", "expired_url", "no_such_hook", "invalid_blocks"])
async def test_live_view_with_a_refused_url_sends_the_answer_below(kind: str, fault: str) -> None:
    hooks, text = Hooks(fault=only(kind, fault)), words(300)
    async with private(hooks) as reply:
        reply.add_response_url(hooks.press(), live=True)
        await write(reply, text)
        await reply.finish(done(text))
    assert ends(hooks, text) == 1
    assert [markdown(body) for body in hooks.below] == [text]
    assert POSSIBLE_DUPLICATE_NOTICE not in state(hooks.below[0])


@pytest.mark.parametrize("fault", [500, "lost"])
async def test_live_view_with_an_unreachable_url_sends_below_with_a_duplicate_notice(
    fault: str | int,
) -> None:
    hooks = Hooks(fault=only("end", fault, 3))
    async with private(hooks) as reply:
        reply.add_response_url(hooks.press(), live=False)
        hooks.fault = lambda use: fault if use.url != COMMAND else None
        await reply.finish(done("So."))
    assert [markdown(body) for body in hooks.below] == ["So."]
    assert POSSIBLE_DUPLICATE_NOTICE in state(hooks.below[0])


async def test_live_view_with_expired_urls_sends_the_answer_to_the_dm() -> None:
    hooks, fake = Hooks(), FakeSlack()
    async with private(hooks, fake) as reply:
        reply.add_response_url(hooks.press(), live=True)
        reply.show(writing("One"))
        await asyncio.sleep(31 * 60)
        await reply.finish(done("One two."))
    assert hooks.uses[-1].outcome == "expired_url"
    assert [message.markdown for message in fake.messages.values()] == ["One two."]
    assert ends(hooks, "One two.") == 0


async def test_live_view_keeps_a_use_for_the_final_message_while_slack_is_unreachable() -> None:
    hooks, text = Hooks(), words(1200)
    hooks.fault = lambda use: 503 if 3 < now() < 33 else None
    async with private(hooks) as reply:
        reply.add_response_url(hooks.press(), live=True)
        await write(reply, text, rate=20)
        await reply.finish(done(text))
    assert ends(hooks, text) == 1
    assert hooks.below == []
