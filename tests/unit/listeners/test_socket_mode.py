"""Connections to a real local Slack: replaced before they end, and when they are dead."""

from __future__ import annotations

from bot.listeners.socket_mode.pool import SocketConfig
from bot.playground.slack.server import SlackConfig
from tests.unit.listeners.cable import cable
from tests.unit.listeners.hearing_bot import Ears, attempts, config, doings, listening, said
from tests.unit.playground import live
from tests.unit.playground.live import GENERAL, LiveSlack


async def test_socket_pool_receives_each_event_once_over_two_connections(
    slack: LiveSlack,
) -> None:
    async with listening(slack) as bot:
        assert slack.sockets.count == 2
        assert (bot.gauge("bot_socket_connections"), await bot.socket.is_connected()) == (2, True)
        assert bot.gauge("bot_socket_connections_counted") == 2
        texts = said(slack, 20)
        await slack.until(lambda: len(attempts(slack)) == 20)
    assert sorted(bot.heard) == sorted(texts)
    assert set(attempts(slack)) == {(0, "")}
    assert (slack.sockets.count, bot.gauge("bot_socket_connections")) == (0, 0)


async def test_socket_pool_opens_the_configured_number_of_connections(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=5)):
        assert slack.sockets.count == 5


async def test_socket_acknowledgement_carries_the_reply_to_a_command(slack: LiveSlack) -> None:
    async with listening(slack):
        slack.workspace.command(GENERAL, "/ask", "otters")
        await slack.until(lambda: slack.heard("ephemeral"))
    assert slack.heard("ephemeral")[0]["message"]["text"] == "Writing about otters"


async def test_socket_pool_replaces_a_connection_that_slack_warns_of(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=1)) as bot:
        slack.sockets.refresh(0)
        await slack.until(lambda: "refresh_requested" in doings(slack))
        assert await bot.socket.is_connected()
        await bot.connected(1)
        said(slack, 1)
        await bot.until(lambda: bot.heard)
    assert doings(slack) == ["open", "hello", "warning", "open", "hello", "refresh_requested"]
    assert bot.reconnects() == {"warning": 1}


async def test_socket_pool_reads_a_connection_that_slack_warned_of_until_its_end(
    slack: LiveSlack,
) -> None:
    async with listening(slack, config(connections=1)) as bot:
        slack.sockets.refresh(0)
        await bot.connected(2)
        texts = said(slack, 6)  # half of them into the old one
        await bot.until(lambda: len(bot.heard) == 6)
        await bot.connected(1)
    assert sorted(bot.heard) == texts
    assert set(attempts(slack)) == {(0, "")}


async def test_socket_pool_replaces_connections_one_at_a_time(slack: LiveSlack) -> None:
    async with listening(slack, config(connections=4)) as bot:
        slack.workspace.refresh_sockets()
        await bot.until(lambda: doings(slack).count("refresh_requested") == 4)
        await bot.until(lambda: doings(slack).count("hello") == 8)
    done = [what for what in doings(slack) if what in {"open", "hello"}]
    assert done == ["open", "hello"] * 8
    assert bot.reconnects() == {"warning": 4}


async def test_socket_pool_acknowledges_events_over_the_connection_they_came_from(
    slack: LiveSlack,
) -> None:
    async with listening(slack, config(connections=1)) as bot:
        bot.free.clear()
        said(slack, 1)
        await bot.until(lambda: bot.begun)
        slack.sockets.refresh(0)
        await bot.until(lambda: doings(slack).count("hello") == 2)
        bot.free.set()
        await slack.until(lambda: attempts(slack))
    assert attempts(slack) == [(0, "")]


async def test_socket_pool_replaces_a_connection_before_its_lifetime_ends() -> None:
    old = SlackConfig(connection_seconds=0.2)
    async with (
        live.slack(old) as slack,
        listening(slack, config(renewal_lifetime_fractions=(0.5, 0.9))) as bot,
    ):
        await bot.until(lambda: bot.reconnects().get("age", 0) >= 4)
        assert await bot.socket.is_connected()
    assert set(bot.reconnects()) == {"age"}
    assert "warning" not in doings(slack)


async def test_socket_pool_replaces_a_broken_connection(slack: LiveSlack) -> None:
    async with cable(slack.url) as wires, listening(slack, api_url=wires.api_url) as bot:
        wires.sockets[0].tear()
        await bot.until(lambda: bot.reconnects() == {"closed": 1})
        await bot.connected(2)
        texts = said(slack, 10)
        await bot.until(lambda: set(bot.heard) == set(texts))


async def test_socket_pool_detects_and_replaces_a_half_open_connection(
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


def test_socket_pool_detects_a_dead_connection_within_thirty_seconds() -> None:
    in_earnest = SocketConfig("xapp-1")
    assert in_earnest.ping_seconds * 1.5 + in_earnest.hello_timeout_seconds < 30


async def test_socket_pool_loses_no_event_of_many_while_connections_are_replaced() -> None:
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
