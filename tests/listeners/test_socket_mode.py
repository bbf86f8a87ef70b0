"""Connections to a real local Slack: replaced before they end, and when they are dead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from bot.listeners.socket_mode import SocketConfig
from bot.playground.slack.server import SlackConfig
from tests.listeners.cable import cable
from tests.listeners.hearing_bot import Ears, config, ears, listening
from tests.playground import live
from tests.playground.live import DM, GENERAL, LiveSlack

HASTY = SlackConfig(ack_seconds=0.3, retry_after=(0.0, 0.05, 0.05), warning_seconds=0.1)


@pytest.fixture
async def slack() -> AsyncIterator[LiveSlack]:
    """A Slack that waits 300 ms where the real one waits three seconds."""
    async with live.slack(HASTY) as running:
        yield running


def said(slack: LiveSlack, count: int, first: int = 0) -> list[str]:
    """People write to the bot."""
    texts = [f"question {number}" for number in range(first, first + count)]
    for text in texts:
        slack.workspace.say(DM, text)
    return texts


def attempts(slack: LiveSlack) -> list[tuple[int, str]]:
    """What became of every delivery: which try it was, and how it failed."""
    return [(e.detail["retry"], e.detail["error"]) for e in slack.log("event", "message.im")]


def doings(slack: LiveSlack) -> list[str]:
    """Addresses asked for, greetings and goodbyes, in order."""
    shown = {"apps.connections.open": "open", "hello": "hello"}
    names = (shown.get(e.what, str(e.detail.get("reason", ""))) for e in slack.board.log)
    return [name for name in names if name]


async def test_events_come_through_two_connections_and_each_is_heard_once(
    slack: LiveSlack,
) -> None:
    async with listening(slack) as bot:
        assert slack.sockets.count == 2
        assert (bot.gauge("bot_socket_connections"), await bot.socket.connected()) == (2, True)
        assert bot.gauge("bot_socket_connections_counted") == 2
        texts = said(slack, 20)
        await slack.until(lambda: len(attempts(slack)) == 20)
    assert sorted(bot.heard) == sorted(texts)
    assert set(attempts(slack)) == {(0, "")}
    assert (slack.sockets.count, bot.gauge("bot_socket_connections")) == (0, 0)


async def test_as_many_connections_are_opened_as_are_wished(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=5)):
        assert slack.sockets.count == 5


async def test_what_a_command_is_acknowledged_with_reaches_its_asker(slack: LiveSlack) -> None:
    async with listening(slack):
        slack.workspace.command(GENERAL, "/ask", "otters")
        await slack.until(lambda: slack.heard("ephemeral"))
    assert slack.heard("ephemeral")[0]["message"]["text"] == "Writing about otters"


async def test_a_connection_slack_warns_of_is_replaced_before_it_ends(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=1)) as bot:
        slack.sockets.refresh(0)
        await slack.until(lambda: "refresh_requested" in doings(slack))
        assert await bot.socket.connected()
        await bot.connected(1)
        said(slack, 1)
        await bot.until(lambda: bot.heard)
    assert doings(slack) == ["open", "hello", "warning", "open", "hello", "refresh_requested"]
    assert bot.reconnects() == {"warning": 1}


async def test_connections_are_replaced_one_after_the_other(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=4)) as bot:
        slack.workspace.refresh_sockets()
        await bot.until(lambda: doings(slack).count("refresh_requested") == 4)
        await bot.until(lambda: doings(slack).count("hello") == 8)
    done = [what for what in doings(slack) if what in {"open", "hello"}]
    assert done == ["open", "hello"] * 8
    assert bot.reconnects() == {"warning": 4}


async def test_an_old_connection_acknowledges_what_it_received(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=1)) as bot:
        bot.free.clear()
        said(slack, 1)
        await bot.until(lambda: bot.begun)
        slack.sockets.refresh(0)
        await bot.until(lambda: doings(slack).count("hello") == 2)
        bot.free.set()
        await slack.until(lambda: attempts(slack))
    assert attempts(slack) == [(0, "")]


async def test_a_connection_is_replaced_by_age_before_slack_ends_it() -> None:
    old = SlackConfig(connection_seconds=0.2)
    async with live.slack(old) as slack, listening(slack, config(renewed=(0.5, 0.9))) as bot:
        await bot.until(lambda: bot.reconnects().get("age", 0) >= 4)
        assert await bot.socket.connected()
    assert set(bot.reconnects()) == {"age"}
    assert "warning" not in doings(slack)


async def test_a_torn_connection_is_replaced(slack: LiveSlack) -> None:
    async with cable(slack.url) as wires, listening(slack, api_url=wires.api_url) as bot:
        wires.sockets[0].tear()
        await bot.until(lambda: bot.reconnects() == {"closed": 1})
        await bot.connected(2)
        texts = said(slack, 10)
        await bot.until(lambda: set(bot.heard) == set(texts))


async def test_a_connection_that_is_dead_without_saying_so_is_found_and_replaced(
    slack: LiveSlack,
) -> None:
    async with cable(slack.url) as wires, listening(slack, api_url=wires.api_url) as bot:
        frozen = wires.sockets[0]
        frozen.freeze()
        texts = said(slack, 10)  # half of them into the frozen one
        await bot.until(lambda: bot.reconnects() == {"silent": 1})
        await bot.connected(2)
        await bot.until(lambda: set(bot.heard) == set(texts))
        assert frozen not in wires.sockets


def test_a_dead_connection_is_found_within_thirty_seconds() -> None:
    in_earnest = SocketConfig("xapp-1")
    assert in_earnest.ping * 1.5 + in_earnest.greeting < 30


async def test_after_slack_was_away_the_bot_is_back_soon(slack: LiveSlack) -> None:
    async with cable(slack.url) as wires, listening(slack, api_url=wires.api_url) as bot:
        await wires.cut()
        await bot.until(lambda: bot.watch.told(logging.WARNING))
        assert not await bot.socket.connected()
        assert bot.gauge("bot_socket_connections") == 0
        await bot.until(lambda: bot.asked.count("unreachable") == 6)
        await wires.mend()
        await bot.connected(2)
        texts = said(slack, 4)
        await bot.until(lambda: set(bot.heard) == set(texts))
    assert bot.reconnects() == {"closed": 2}
    assert len(bot.watch.told(logging.WARNING)) == 1
    assert bot.watch.told(logging.INFO)[-1] == "all connections to Slack stand again"


async def test_one_trouble_of_all_connections_is_one_line(slack: LiveSlack) -> None:
    async with ears(slack, config(connections=5, app_token="xapp-revoked")) as bot, bot.socket:
        await slack.until(lambda: len(slack.called("apps.connections.open")) == 10)
    assert len(bot.watch.told(logging.WARNING)) == 1


async def test_a_revoked_token_is_told_once_shows_in_readiness_and_is_not_hammered(
    slack: LiveSlack,
) -> None:
    async with ears(slack, config(connections=1, app_token="xapp-revoked")) as bot, bot.socket:
        await slack.until(lambda: len(slack.called("apps.connections.open")) == 6)
        assert not await bot.socket.connected()
    [told] = bot.watch.told(logging.WARNING)
    assert told.startswith("Slack refuses a connection (invalid_auth): set SLACK_APP_TOKEN")
    times = [call.at for call in slack.called("apps.connections.open")]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] > 0.005  # half of the shortest, and they are not measured well
    assert pauses[-1] > 0.04  # half of the longest


async def test_a_switch_to_off_is_told_once_and_ends_when_it_is_on_again(
    slack: LiveSlack,
) -> None:
    async with listening(slack, config(steady=0.2)) as bot:
        switched_off = slack.board.listen(
            lambda kind, it: (
                slack.sockets.disconnect("link_disabled") if it.get("what") == "hello" else None
            )
        )
        slack.sockets.disconnect("link_disabled")
        await bot.until(lambda: bot.reconnects().get("link_disabled", 0) >= 6)
        switched_off()
        await bot.until(lambda: bot.watch.told(logging.INFO)[-1].endswith("stand again"))
        assert bot.socket.open == 2
    [told] = bot.watch.told(logging.ERROR)
    assert "(link_disabled): switch Socket Mode on again" in told


async def test_with_no_room_for_another_connection_the_first_goes_on(slack: LiveSlack) -> None:
    others = [await slack.connect() for _ in range(9)]
    async with ears(slack) as bot, bot.socket:
        await bot.until(lambda: bot.watch.told(logging.ERROR))
        assert await bot.socket.connected()
        assert bot.socket.open == 1
        assert bot.gauge("bot_socket_connections_counted") == 10
        slack.sockets.refresh(9)  # there is no room for its successor before it has gone
        await bot.until(lambda: bot.reconnects() == {"warning": 1})
        await bot.until(lambda: doings(slack).count("hello") == 11)
        texts = said(slack, 1)
        for other in others:
            await other.close()
        await bot.connected(2)
        await bot.until(lambda: set(bot.heard) == set(texts))
    [told] = bot.watch.told(logging.ERROR)
    assert "lower SOCKET_CONNECTIONS" in told


async def test_leaving_acknowledges_what_was_received_and_takes_nothing_more(
    slack: LiveSlack,
) -> None:
    async with listening(slack) as leaving:
        leaving.free.clear()
        (received,) = said(slack, 1)
        await leaving.until(lambda: leaving.begun)
        gone = asyncio.create_task(leaving.socket.__aexit__())
        await asyncio.sleep(0)
        late = said(slack, 4, first=1)
        async with listening(slack) as stays:
            leaving.free.set()
            await gone
            await stays.until(lambda: sorted(stays.heard) == late)
    assert leaving.begun == leaving.heard == [received]
    assert attempts(slack)[0] == (0, "")  # the held one


async def test_what_is_held_for_too_long_does_not_hold_up_the_end(slack: LiveSlack) -> None:
    async with listening(slack, config(farewell=0.05)) as bot:
        bot.free.clear()
        said(slack, 1)
        await bot.until(lambda: bot.begun)
    assert slack.sockets.count == 0
    bot.free.set()
    await bot.until(lambda: bot.heard)


async def test_an_idle_bot_leaves_at_once(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with ears(slack, SocketConfig("xapp-playground")) as bot:
        async with bot.socket:
            await bot.connected(2)
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_leaving_while_slack_is_away_takes_no_time(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with cable(slack.url) as wires, ears(slack, api_url=wires.api_url) as bot:
        await wires.cut()
        async with bot.socket:
            await bot.until(lambda: bot.watch.told(logging.WARNING))
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_a_storm_of_events_loses_none_while_connections_are_replaced() -> None:
    async with live.slack(SlackConfig(warning_seconds=0.02)) as slack, listening(slack) as bot:
        texts = await _storm(slack, bot, 100)
        await slack.until(lambda: len(attempts(slack)) == 100)
    assert sorted(bot.heard) == sorted(texts)
    assert set(attempts(slack)) == {(0, "")}
    assert max(e.detail["ms"] for e in slack.log("event", "message.im")) < 3000
    assert bot.reconnects()["warning"] == 10


async def _storm(slack: LiveSlack, bot: Ears, count: int) -> list[str]:
    """People write; at every tenth message the oldest connection is refreshed."""
    texts: list[str] = []
    for ten in range(0, count, 10):
        greeted = doings(slack).count("hello")
        slack.sockets.refresh(0)
        texts += said(slack, 10, first=ten)
        await bot.until(lambda: doings(slack).count("hello") > greeted)  # noqa: B023  # awaited here
        await bot.until(lambda: slack.sockets.count == 2)
    return texts
