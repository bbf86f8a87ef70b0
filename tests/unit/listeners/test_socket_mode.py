"""Connections to a real local Slack: replaced before they end, and when they are dead."""

from __future__ import annotations

from bot.listeners.socket_mode.pool import SocketConfig
from bot.playground.slack.server import SlackConfig
from tests.unit.listeners.network_proxy import network_proxy
from tests.unit.listeners.socket_bot import (
    SocketBot,
    config,
    connected_bot,
    connection_events,
    delivery_attempts,
    send_messages,
)
from tests.unit.playground import live
from tests.unit.playground.live import GENERAL, LiveSlack


async def test_socket_pool_receives_each_event_once_over_two_connections(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack) as bot:
        assert slack.sockets.count == 2
        assert (bot.gauge_value("bot_socket_connections"), await bot.socket.is_connected()) == (
            2,
            True,
        )
        assert bot.gauge_value("bot_socket_connections_counted") == 2
        texts = send_messages(slack, 20)
        await slack.until(lambda: len(delivery_attempts(slack)) == 20)
    assert sorted(bot.handled) == sorted(texts)
    assert set(delivery_attempts(slack)) == {(0, "")}
    assert (slack.sockets.count, bot.gauge_value("bot_socket_connections")) == (0, 0)


async def test_socket_pool_opens_the_configured_number_of_connections(slack: LiveSlack) -> None:
    async with connected_bot(slack, config(connections=5)):
        assert slack.sockets.count == 5


async def test_socket_acknowledgement_carries_the_reply_to_a_command(slack: LiveSlack) -> None:
    async with connected_bot(slack):
        slack.workspace.command(GENERAL, "/ask", "otters")
        await slack.until(lambda: slack.announced("ephemeral"))
    assert slack.announced("ephemeral")[0]["message"]["text"] == "Writing about otters"


async def test_socket_pool_replaces_a_connection_that_slack_warns_of(slack: LiveSlack) -> None:
    async with connected_bot(slack, config(connections=1)) as bot:
        slack.sockets.refresh(0)
        await slack.until(lambda: "refresh_requested" in connection_events(slack))
        assert await bot.socket.is_connected()
        await bot.connected(1)
        send_messages(slack, 1)
        await bot.until(lambda: bot.handled)
    assert connection_events(slack) == [
        "open",
        "hello",
        "warning",
        "open",
        "hello",
        "refresh_requested",
    ]
    assert bot.reconnects() == {"warning": 1}


async def test_socket_pool_reads_a_connection_that_slack_warned_of_until_its_end(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack, config(connections=1)) as bot:
        slack.sockets.refresh(0)
        await bot.connected(2)
        texts = send_messages(slack, 6)  # half of them into the old one
        await bot.until(lambda: len(bot.handled) == 6)
        await bot.connected(1)
    assert sorted(bot.handled) == texts
    assert set(delivery_attempts(slack)) == {(0, "")}


async def test_socket_pool_replaces_connections_one_at_a_time(slack: LiveSlack) -> None:
    async with connected_bot(slack, config(connections=4)) as bot:
        slack.workspace.refresh_sockets()
        await bot.until(lambda: connection_events(slack).count("refresh_requested") == 4)
        await bot.until(lambda: connection_events(slack).count("hello") == 8)
    done = [what for what in connection_events(slack) if what in {"open", "hello"}]
    assert done == ["open", "hello"] * 8
    assert bot.reconnects() == {"warning": 4}


async def test_socket_pool_acknowledges_events_over_the_connection_they_came_from(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack, config(connections=1)) as bot:
        bot.may_handle.clear()
        send_messages(slack, 1)
        await bot.until(lambda: bot.received)
        slack.sockets.refresh(0)
        await bot.until(lambda: connection_events(slack).count("hello") == 2)
        bot.may_handle.set()
        await slack.until(lambda: delivery_attempts(slack))
    assert delivery_attempts(slack) == [(0, "")]


async def test_socket_pool_replaces_a_connection_before_its_lifetime_ends() -> None:
    old = SlackConfig(connection_seconds=0.2)
    async with (
        live.slack(old) as slack,
        connected_bot(slack, config(renewal_lifetime_fractions=(0.5, 0.9))) as bot,
    ):
        await bot.until(lambda: bot.reconnects().get("age", 0) >= 4)
        assert await bot.socket.is_connected()
    assert set(bot.reconnects()) == {"age"}
    assert "warning" not in connection_events(slack)


async def test_socket_pool_replaces_a_broken_connection(slack: LiveSlack) -> None:
    async with (
        network_proxy(slack.url) as proxy,
        connected_bot(slack, api_url=proxy.api_url) as bot,
    ):
        proxy.websockets[0].abort()
        await bot.until(lambda: bot.reconnects() == {"closed": 1})
        await bot.connected(2)
        texts = send_messages(slack, 10)
        await bot.until(lambda: set(bot.handled) == set(texts))


async def test_socket_pool_detects_and_replaces_a_half_open_connection(
    slack: LiveSlack,
) -> None:
    async with (
        network_proxy(slack.url) as proxy,
        connected_bot(slack, api_url=proxy.api_url) as bot,
    ):
        frozen = proxy.websockets[0]
        frozen.freeze()
        texts = send_messages(slack, 10)  # half of them into the frozen one
        await bot.until(lambda: bot.reconnects() == {"silent": 1})
        await bot.connected(2)
        await bot.until(lambda: set(bot.handled) == set(texts))
        assert frozen not in proxy.websockets


def test_socket_pool_detects_a_dead_connection_within_thirty_seconds() -> None:
    in_earnest = SocketConfig("xapp-1")
    assert in_earnest.ping_seconds * 1.5 + in_earnest.hello_timeout_seconds < 30


async def test_socket_pool_loses_no_event_of_many_while_connections_are_replaced() -> None:
    async with live.slack(SlackConfig(warning_seconds=0.02)) as slack, connected_bot(slack) as bot:
        texts = await _storm(slack, bot, 100)
        await slack.until(lambda: len(delivery_attempts(slack)) == 100)
    assert sorted(bot.handled) == sorted(texts)
    assert set(delivery_attempts(slack)) == {(0, "")}
    assert max(e.detail["ms"] for e in slack.log("event", "message.im")) < 3000
    assert bot.reconnects()["warning"] == 10


async def _storm(slack: LiveSlack, bot: SocketBot, count: int) -> list[str]:
    """People write; at every tenth message the oldest connection is refreshed."""
    texts: list[str] = []
    for ten in range(0, count, 10):
        greeted = connection_events(slack).count("hello")
        slack.sockets.refresh(0)
        texts += send_messages(slack, 10, first=ten)
        await bot.until(lambda: connection_events(slack).count("hello") > greeted)  # noqa: B023  # awaited here
        await bot.until(lambda: slack.sockets.count == 2)
    return texts
