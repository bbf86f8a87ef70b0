"""The end of a process: what was received is acknowledged, the rest goes elsewhere."""

from __future__ import annotations

import asyncio
import logging

from bot.listeners.socket_mode.pool import SocketConfig
from bot.slack.websocket import CLOSE_HANDSHAKE_SECONDS
from tests.unit.listeners.cable import cable
from tests.unit.listeners.hearing_bot import attempts, config, ears, listening, said
from tests.unit.playground.live import LiveSlack


async def test_socket_shutdown_acknowledges_what_was_received_and_reads_no_more(
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


async def test_socket_shutdown_does_not_wait_for_a_listener_that_takes_too_long(
    slack: LiveSlack,
) -> None:
    async with listening(slack, config(ack_timeout_seconds=0.05)) as bot:
        bot.free.clear()
        said(slack, 1)
        await bot.until(lambda: bot.begun)
    assert slack.sockets.count == 0
    bot.free.set()
    await bot.until(lambda: bot.heard)


async def test_socket_shutdown_of_an_idle_bot_is_immediate(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with ears(slack, SocketConfig("xapp-playground")) as bot:
        async with bot.socket:
            await bot.connected(2)
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_socket_shutdown_is_immediate_while_slack_is_unreachable(slack: LiveSlack) -> None:
    loop = asyncio.get_running_loop()
    async with cable(slack.url) as wires, ears(slack, api_url=wires.api_url) as bot:
        await wires.cut()
        async with bot.socket:
            await bot.until(lambda: bot.watch.told(logging.WARNING))
            began = loop.time()
        assert loop.time() - began < 0.5


async def test_socket_shutdown_over_a_dead_network_waits_a_second_for_the_close_frame(
    slack: LiveSlack,
) -> None:
    loop = asyncio.get_running_loop()
    async with cable(slack.url) as wires, ears(slack, api_url=wires.api_url) as bot:
        async with bot.socket:
            await bot.connected(2)
            for wire in wires.sockets:
                wire.freeze()
            began = loop.time()
        assert loop.time() - began < CLOSE_HANDSHAKE_SECONDS + 0.5
