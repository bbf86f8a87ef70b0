"""Response URLs that fail, expire or are refused: an ephemeral answer ends once, in some place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.render.buttons import SHARE_ACTION
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.delivery_setup import done, words, writing
from tests.unit.delivery.ephemeral_answer import count_finished, open_ephemeral_reply, write
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.response_url_server import (
    COMMAND,
    ResponseUrlServer,
    UrlUse,
    buttons,
    markdown,
    state,
)

Fault = Callable[[UrlUse], str | int | None]


def only(kind: str, fault: str | int, times: int = 99) -> Fault:
    """The first uses of one kind go wrong: `text`, `end` or `below`."""
    left = times

    def inject(use: UrlUse) -> str | int | None:
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
    urls, text = ResponseUrlServer(fault=only(kind, fault, times)), words(900)
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text, rate=rate)
        await reply.finish(done(text))
    assert count_finished(urls, text) == 1
    assert urls.below == []


async def test_live_view_counts_a_final_message_of_an_unconfirmed_fifth_use_as_sent() -> None:
    urls, text = ResponseUrlServer(fault=only("end", "lost", 1)), words(1500)
    async with open_ephemeral_reply(urls) as reply:
        url = urls.press()
        reply.add_response_url(url, live=True)
        await write(reply, text, rate=6)
        await reply.finish(done(text))
    assert len(urls.counted_uses(url)) == 5
    assert urls.uses[-1].outcome == "used_url"
    assert count_finished(urls, text) == 1
    assert urls.below == []


@pytest.mark.parametrize("kind", ["text", "end"])
@pytest.mark.parametrize("fault", ["used_url", "expired_url", "no_such_hook", "invalid_blocks"])
async def test_live_view_with_a_refused_url_sends_the_answer_below(kind: str, fault: str) -> None:
    urls, text = ResponseUrlServer(fault=only(kind, fault)), words(300)
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text)
        await reply.finish(done(text))
    assert count_finished(urls, text) == 1
    assert [markdown(body) for body in urls.below] == [text]
    assert english(Phrase.POSSIBLE_DUPLICATE) not in state(urls.below[0])


@pytest.mark.parametrize("fault", [500, "lost"])
async def test_live_view_with_an_unreachable_url_sends_below_with_a_duplicate_notice(
    fault: str | int,
) -> None:
    urls = ResponseUrlServer(fault=only("end", fault, 3))
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=False)
        urls.fault = lambda use: fault if use.url != COMMAND else None
        await reply.finish(done("So."))
    assert [markdown(body) for body in urls.below] == ["So."]
    assert english(Phrase.POSSIBLE_DUPLICATE) in state(urls.below[0])


async def test_live_view_with_expired_urls_sends_the_answer_to_the_dm() -> None:
    urls, fake = ResponseUrlServer(), FakeSlack()
    async with open_ephemeral_reply(urls, fake) as reply:
        reply.add_response_url(urls.press(), live=True)
        reply.show(writing("One"))
        await asyncio.sleep(31 * 60)
        await reply.finish(done("One two."))
    assert urls.uses[-1].outcome == "expired_url"
    assert [message.markdown for message in fake.messages.values()] == ["One two."]
    assert count_finished(urls, "One two.") == 0


async def test_live_view_keeps_a_use_for_the_final_message_while_slack_is_unreachable() -> None:
    urls, text = ResponseUrlServer(), words(1200)
    urls.fault = lambda use: 503 if 3 < now() < 33 else None
    async with open_ephemeral_reply(urls) as reply:
        reply.add_response_url(urls.press(), live=True)
        await write(reply, text, rate=20)
        await reply.finish(done(text))
    assert count_finished(urls, text) == 1
    assert urls.below == []
