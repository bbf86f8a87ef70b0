from __future__ import annotations

import asyncio

from bot.playground.board import Board
from bot.playground.model.fault_injector import FaultInjector


def test_fault_status_is_returned_as_often_as_set_and_then_cleared() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    assert injector.next_refusal() is None
    board.set_faults(model_status=503, model_status_times=2)
    given = [injector.next_refusal() for _ in range(3)]
    assert [error and error.status for error in given] == [503, 503, None]
    assert (board.faults.model_status, board.faults.model_status_times) == (0, 1)


def test_rate_limits_say_when_to_come_back_and_unknown_statuses_have_a_body() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    for status in (429, 402, 418, 599):
        board.set_faults(model_status=status)
        error = injector.next_refusal()
        assert error is not None
        assert error.status == status
        assert error.body["error"]["message"]
        assert error.headers == ({"Retry-After": "2"} if status == 429 else {})


def test_cut_fault_applies_to_each_answer_as_often_as_set() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    assert not injector.should_cut("a", 1.0)
    board.set_faults(drop_at=0.5, drop_times=2)
    assert [injector.should_cut("a", share) for share in (0.49, 0.5, 0.6, 0.7)] == [
        False,
        True,
        True,
        False,
    ]
    assert injector.should_cut("b", 0.5)


def test_cut_count_starts_again_after_a_complete_answer_or_a_new_fault() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    board.set_faults(drop_at=0.5)
    assert injector.should_cut("a", 0.5)
    assert not injector.should_cut("a", 0.5)
    injector.mark_complete("a")
    assert injector.should_cut("a", 0.5)
    board.set_faults(model_status=500)
    assert not injector.should_cut("a", 0.5)
    board.set_faults(drop_at=0.4)
    assert injector.should_cut("a", 0.5)


async def test_silence_lasts_until_the_stall_is_lifted() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    board.set_faults(stall_at=0.5)
    assert not injector.should_stall(0.4)
    await injector.wait_stalled(0.4, lambda: False)  # not yet
    silent = asyncio.create_task(injector.wait_stalled(0.5, lambda: False))
    await asyncio.sleep(0)
    board.set_faults(drop_at=0.1)
    await asyncio.sleep(0)
    assert not silent.done()
    board.set_faults(stall_at=None)
    await asyncio.wait_for(silent, 5)


async def test_silence_ends_when_the_client_is_gone_or_the_server_ends() -> None:
    board = Board()
    injector = FaultInjector(board, now=lambda: 0.0)
    board.set_faults(stall_at=0.0)
    await injector.wait_stalled(0.5, lambda: True)
    silent = asyncio.create_task(injector.wait_stalled(0.5, lambda: False))
    await asyncio.sleep(0)
    injector.close()
    await asyncio.wait_for(silent, 5)
    board.set_faults(stall_at=0.2)  # nobody listens any more
    assert not injector.should_stall(0.5)


def test_server_is_unavailable_after_a_cut_for_as_long_as_set() -> None:
    board, clock = Board(), [100.0]
    injector = FaultInjector(board, now=lambda: clock[0])
    board.set_faults(drop_at=0.5, drop_seconds=1.5)
    assert injector.next_refusal() is None
    assert injector.should_cut("a", 0.5)
    refusal = injector.next_refusal()
    assert refusal is not None
    assert refusal.status == 503
    clock[0] += 1.5
    assert injector.next_refusal() is None
