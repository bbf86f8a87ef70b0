"""The end of a process: what was received is acknowledged, the rest goes elsewhere."""

from __future__ import annotations

import asyncio
import logging

from bot.listeners.socket_mode.pool import SocketConfig
from bot.slack.websocket import CLOSE_HANDSHAKE_SECONDS
from tests.unit.listeners.network_proxy import network_proxy
from tests.unit.listeners.socket_bot import (
    config,
    connected_bot,
    delivery_attempts,
    send_messages,
    socket_bot,
)
from tests.unit.playground.live import LiveSlack


async def test_socket_shutdown_acknowledges_what_was_received_and_reads_no_more(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack) as leaving:
        leaving.may_handle.clear()
        (received,) = send_messages(slack, 1)
        await leaving.until(lambda: leaving.received)
        gone = asyncio.create_task(leaving.socket.__aexit__())
        await asyncio.sleep(0)
        late = send_messages(slack, 4, first=1)
        async with connected_bot(slack) as stays:
            leaving.may_handle.set()
            await gone
            await stays.until(lambda: sorted(stays.handled) == late)
    assert leaving.received == leaving.handled == [received]
    assert delivery_attempts(slack)[0] == (0, "")  # the held one


async def test_socket_shutdown_does_not_wait_for_a_listener_that_takes_too_long(
    slack: LiveSlack,
) -> None:
    async with connected_bot(slack, config(ack_timeout_seconds=0.05)) as bot:
        bot.may_handle.clear()
        send_messages(slack, 1)
        await bot.until(lambda: bot.received)
    assert slack.sockets.count == 0
    bot.may_handle.set()
    await bot.until(lambda: bot.handled)


async def test_socket_shutdown_of_an_idle_bot_is_immediate(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with socket_bot(slack, SocketConfig("xapp-playground")) as bot:
        async with bot.socket:
            await bot.connected(2)
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_socket_shutdown_is_immediate_while_slack_is_unreachable(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with network_proxy(slack.url) as proxy, socket_bot(slack, api_url=proxy.api_url) as bot:
        await proxy.cut()
        async with bot.socket:
            await bot.until(lambda: bot.waiter.log_messages(logging.WARNING))
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_socket_shutdown_over_a_dead_network_waits_a_second_for_the_close_frame(
    slack: LiveSlack,
) -> None:
    loop = asyncio.get_running_loop()
    async with network_proxy(slack.url) as proxy, socket_bot(slack, api_url=proxy.api_url) as bot:
        async with bot.socket:
            await bot.connected(2)
            for connection in proxy.websockets:
                connection.freeze()
            began = loop.time()
        assert loop.time() - began < CLOSE_HANDSHAKE_SECONDS + 0.5
