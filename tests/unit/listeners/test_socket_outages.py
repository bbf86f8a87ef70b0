"""Slack away, a token revoked, too many connections: told once, tried again in good time."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise

from tests.unit.listeners.network_proxy import network_proxy
from tests.unit.listeners.socket_bot import (
    FAST_SLACK,
    config,
    connected_bot,
    connection_events,
    send_messages,
    socket_bot,
)
from tests.unit.playground import live
from tests.unit.playground.live import LiveSlack


async def test_socket_pool_reconnects_soon_after_slack_was_unreachable(slack: LiveSlack) -> None:
    async with (
        network_proxy(slack.url) as proxy,
        connected_bot(slack, api_url=proxy.api_url) as bot,
    ):
        await proxy.cut()
        await bot.until(lambda: bot.waiter.log_messages(logging.WARNING))
        assert not await bot.socket.is_connected()
        assert bot.gauge_value("bot_socket_connections") == 0
        await bot.until(lambda: bot.open_outcomes.count("unreachable") == 6)
        await proxy.listen()
        await bot.connected(2)
        texts = send_messages(slack, 4)
        await bot.until(lambda: set(bot.handled) == set(texts))
    assert bot.reconnects() == {"closed": 2}
    assert len(bot.waiter.log_messages(logging.WARNING)) == 1
    assert bot.waiter.log_messages(logging.INFO)[-1] == "all connections to Slack are open again"


async def test_outage_of_all_connections_is_logged_once(slack: LiveSlack) -> None:
    async with (
        socket_bot(slack, config(connections=5, app_token="xapp-revoked")) as bot,
        bot.socket,
    ):
        await slack.until(lambda: len(slack.called("apps.connections.open")) == 10)
    assert len(bot.waiter.log_messages(logging.WARNING)) == 1


async def test_outage_by_a_revoked_token_is_logged_once_and_retried_rarely(
    slack: LiveSlack,
) -> None:
    async with (
        socket_bot(slack, config(connections=1, app_token="xapp-revoked")) as bot,
        bot.socket,
    ):
        await slack.until(lambda: len(slack.called("apps.connections.open")) == 6)
        assert not await bot.socket.is_connected()
    [told] = bot.waiter.log_messages(logging.WARNING)
    assert told.startswith("Slack refuses a connection (invalid_auth): set SLACK_APP_TOKEN")
    times = [call.at for call in slack.called("apps.connections.open")]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[0] > 0.005  # half of the shortest, and they are not measured well
    assert pauses[-1] > 0.04  # half of the longest


async def test_outage_by_disabled_socket_mode_ends_when_it_is_enabled(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack, config(min_stable_seconds=0.2)) as bot:
        switched_off = slack.board.listen(
            lambda kind, it: (
                slack.sockets.disconnect("link_disabled") if it.get("what") == "hello" else None
            )
        )
        slack.sockets.disconnect("link_disabled")
        await bot.until(lambda: bot.reconnects().get("link_disabled", 0) >= 6)
        switched_off()
        await bot.until(lambda: bot.waiter.log_messages(logging.INFO)[-1].endswith("open again"))
        assert bot.socket.open_connections == 2
    [told] = bot.waiter.log_messages(logging.ERROR)
    assert "(link_disabled): switch Socket Mode on again" in told


async def test_socket_pool_keeps_its_connection_at_the_connection_limit(slack: LiveSlack) -> None:
    others = [await slack.connect() for _ in range(9)]
    async with socket_bot(slack) as bot, bot.socket:
        await bot.until(lambda: bot.waiter.log_messages(logging.ERROR))
        assert await bot.socket.is_connected()
        assert bot.socket.open_connections == 1
        assert bot.gauge_value("bot_socket_connections_counted") == 10
        texts = send_messages(slack, 1)
        for other in others:
            await other.close()
        await bot.connected(2)
        await bot.until(lambda: set(bot.handled) == set(texts))
    [told] = bot.waiter.log_messages(logging.ERROR)
    assert "lower SOCKET_CONNECTIONS" in told


async def test_socket_pool_closes_the_old_connection_first_at_the_connection_limit() -> None:
    patient = replace(FAST_SLACK, warning_seconds=60.0)
    async with live.slack(patient) as slack, connected_bot(slack, config(connections=1)) as bot:
        others = [await slack.connect() for _ in range(9)]
        slack.sockets.refresh(0)
        await bot.until(lambda: connection_events(slack).count("hello") == 11)
        await bot.connected(1)
        assert slack.sockets.count == 10
        assert not any(other.closed for other in others)
