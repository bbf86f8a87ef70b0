"""A stop scope ends its steps early, once; in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Stopped
from bot.turn.stop_scope import StopScope
from tests.support.virtual_time import now


async def test_stop_scope_can_be_stopped_once_and_not_after_its_end() -> None:
    stopped, ended = StopScope(), StopScope()
    assert stopped.stop(Stopped("U1"))
    assert not stopped.stop(Stopped("U1"))
    with pytest.raises(Stopped):
        await stopped.run_until_stopped(asyncio.sleep(10))
    assert now() == 0
    await ended.run_until_stopped(asyncio.sleep(10))
    assert not ended.stop(Stopped("U1"))


async def test_stop_scope_cancels_its_steps_and_raises_the_reason() -> None:
    scope = StopScope()
    asyncio.get_running_loop().call_later(3, scope.stop, Stopped("U1"))
    with pytest.raises(Stopped):
        await scope.run_until_stopped(asyncio.sleep(10), asyncio.sleep(20))
    assert now() == 3


async def test_stop_scope_raises_one_of_two_errors() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await StopScope().run_until_stopped(fail(), fail())
