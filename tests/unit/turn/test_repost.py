"""Ended answers are posted again once, over button presses, replicas and crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bot.errors import StorageUnavailable
from bot.turn.durability.crash_limit import CRASH_CLEAR_SECONDS, MAX_CRASHES
from bot.turn.durability.leases import HEARTBEATS_PER_LEASE
from bot.turn.ephemeral.repost import RepostResult, Reposts
from bot.turn.supervisor import Verdict
from bot.values import Draft, Phase, Place, Question
from tests.unit.delivery.delivery_setup import fail_always, words
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import open_runner
from tests.unit.turn.replica_setup import LEASE, Replica, ReplicaSetup, until

COPY = Question("q1.share", (), Place("T1", "C1", "channel"), "U1", "Why?")
DONE = Draft(Phase.DONE, words(50))


def refuse_request(request: httpx.Request) -> httpx.Response:
    raise AssertionError("no model is asked for an answer that is known")


@asynccontextmanager
async def answering_replica(
    setup: ReplicaSetup, name: str, slack: FakeSlack
) -> AsyncIterator[Replica]:
    """A process between this Slack and a model that has nothing to say."""
    async with open_runner(slack, refuse_request) as runner:
        yield await setup.replica(name, runner)


async def live_and_die(setup: ReplicaSetup, name: str, slack: FakeSlack, seconds: float) -> None:
    """A process that takes a turn over and lives so long with it."""
    async with answering_replica(setup, name, slack) as one:
        await until(lambda: one.supervisor.running_count, 3 * LEASE)
        await asyncio.sleep(seconds)
        await one.supervisor.__aexit__(None, None, None)


def reposts(of: Replica) -> Reposts:
    return Reposts(of.store, of.running)


@pytest.mark.parametrize("place", [COPY.place, Place("T1", "D1", "dm")], ids=["channel", "dm"])
async def test_repost_begins_with_who_asked_what(tmp_path: Path, place: Place) -> None:
    slack = FakeSlack()
    copy = Question("q1.copy", (), place, "U1", "Why?")
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        assert await reposts(a).post(copy, DONE) is RepostResult.POSTED
        assert await reposts(a).post(copy, DONE) is RepostResult.ALREADY_POSTED
        record = await a.store.get_turn(copy.id)
    [message] = slack.messages.values()
    assert (message.channel, message.thread_ts) == (place.channel, None)
    assert message.markdown == DONE.text
    assert message.state == "<@U1> asked: Why?"
    assert message.buttons == (["answer_menu"] if place.surface == "dm" else [])
    assert record
    assert record.owner is None


async def test_repost_of_a_long_answer_is_a_thread_of_messages(tmp_path: Path) -> None:
    slack, text = FakeSlack(), words(5000)
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        assert await reposts(a).post(COPY, Draft(Phase.DONE, text)) is RepostResult.POSTED
    root, *rest = slack.messages.values()
    assert rest
    assert {message.thread_ts for message in rest} == {root.ts}
    assert " ".join(m.markdown for m in [root, *rest]).split() == text.split()


async def test_repost_requested_on_two_replicas_at_once_is_posted_once(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with (
        ReplicaSetup(tmp_path) as setup,
        answering_replica(setup, "a", slack) as a,
        answering_replica(setup, "b", slack) as b,
    ):
        posted = await asyncio.gather(reposts(a).post(COPY, DONE), reposts(b).post(COPY, DONE))
        assert sorted(one.name for one in posted) == ["IN_PROGRESS", "POSTED"]
        assert await reposts(b).post(COPY, DONE) is RepostResult.ALREADY_POSTED
    assert len(slack.messages) == 1


async def test_repost_refused_by_slack_can_be_tried_again(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        slack.fault = fail_always("chat.postMessage", "not_in_channel")
        for _ in range(2):
            assert await reposts(a).post(COPY, DONE) is RepostResult.REFUSED_BY_SLACK
        slack.fault = lambda call: None
        assert await reposts(a).post(COPY, DONE) is RepostResult.POSTED
        assert await reposts(a).post(COPY, DONE) is RepostResult.ALREADY_POSTED
    assert len(slack.messages) == 1


async def test_repost_whose_response_from_slack_was_lost_is_not_posted_twice(
    tmp_path: Path,
) -> None:
    slack = FakeSlack()
    lose = iter(["lost"])
    slack.fault = lambda call: next(lose, None) if call.method == "chat.postMessage" else None
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        assert await reposts(a).post(COPY, DONE) is RepostResult.POSTED
    assert len(slack.messages) == 1


async def test_repost_is_finished_by_another_process_after_a_crash(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        slack.fault = fail_always("chat.postMessage", 503)
        posting = asyncio.create_task(reposts(a).post(COPY, DONE))
        await until(lambda: slack.count("chat.postMessage"))
        posting.cancel()
        await a.supervisor.__aexit__(None, None, None)
        slack.fault = lambda call: None
        async with answering_replica(setup, "b", slack) as b:
            await until(lambda: slack.messages, 3 * LEASE)
            await until(lambda: not b.supervisor.running_count)
            assert await reposts(b).post(COPY, DONE) is RepostResult.ALREADY_POSTED
    [message] = slack.messages.values()
    assert message.markdown == DONE.text


@pytest.mark.parametrize(
    ("lives", "ends"),
    [
        (CRASH_CLEAR_SECONDS + LEASE / HEARTBEATS_PER_LEASE, Phase.DONE),
        (CRASH_CLEAR_SECONDS / 2, Phase.FAILED),
    ],
    ids=["lived on with it", "died at once"],
)
async def test_repost_is_given_up_only_if_each_process_crashes_soon_after_showing_it(
    tmp_path: Path, lives: float, ends: Phase
) -> None:
    slack = FakeSlack()
    slack.fault = fail_always("chat.postMessage", 503)
    async with ReplicaSetup(tmp_path) as setup:
        async with answering_replica(setup, "first", slack) as first:
            posting = asyncio.create_task(reposts(first).post(COPY, DONE))
            await until(lambda: slack.count("chat.postMessage"))
            posting.cancel()
            await first.supervisor.__aexit__(None, None, None)
        for number in range(2 * MAX_CRASHES):
            await live_and_die(setup, f"r{number}", slack, lives)
        slack.fault = lambda call: None
        async with answering_replica(setup, "last", slack) as last:
            await until(lambda: slack.messages, 3 * LEASE)
            await until(lambda: not last.supervisor.running_count)
            record = await last.store.get_turn(COPY.id)
    assert record
    assert record.draft.phase is ends


async def test_repost_is_not_posted_while_the_database_is_unavailable(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        a.database.unavailable = True
        with pytest.raises(StorageUnavailable):
            await reposts(a).post(COPY, DONE)
        assert slack.messages == {}
        a.database.unavailable = False
        assert await reposts(a).post(COPY, DONE) is RepostResult.POSTED
    assert len(slack.messages) == 1


async def test_repost_can_not_be_retried_as_a_question(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with ReplicaSetup(tmp_path) as setup, answering_replica(setup, "a", slack) as a:
        assert await reposts(a).post(COPY, DONE) is RepostResult.POSTED
        assert await a.supervisor.retry(COPY.id, "U1") is Verdict.ALREADY_DONE
