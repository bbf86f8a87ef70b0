"""Answers posted once more, as turns of their own: once, over presses, replicas and crashes."""

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
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.room import always, words
from tests.unit.turn.stage import LEASE, Replica, Stage, until
from tests.unit.turn.way import rooms

COPY = Question("q1.share", (), Place("T1", "C1", "channel"), "U1", "Why?")
DONE = Draft(Phase.DONE, words(50))


def silent(request: httpx.Request) -> httpx.Response:
    raise AssertionError("no model is asked for an answer that is known")


@asynccontextmanager
async def replica(stage: Stage, name: str, slack: FakeSlack) -> AsyncIterator[Replica]:
    """A process between this Slack and a model that has nothing to say."""
    async with rooms(slack, silent) as runner:
        yield await stage.replica(name, runner)


async def live_and_die(stage: Stage, name: str, slack: FakeSlack, seconds: float) -> None:
    """A process that takes a turn over and lives so long with it."""
    async with replica(stage, name, slack) as one:
        await until(lambda: one.turns.running_count, 3 * LEASE)
        await asyncio.sleep(seconds)
        await one.turns.__aexit__(None, None, None)


def copies(of: Replica) -> Reposts:
    return Reposts(of.store, of.live)


@pytest.mark.parametrize("place", [COPY.place, Place("T1", "D1", "dm")], ids=["channel", "dm"])
async def test_an_answer_is_posted_with_who_asked_what_above_it(
    tmp_path: Path, place: Place
) -> None:
    slack = FakeSlack()
    copy = Question("q1.copy", (), place, "U1", "Why?")
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        assert await copies(a).post(copy, DONE) is RepostResult.POSTED
        assert await copies(a).post(copy, DONE) is RepostResult.ALREADY_POSTED
        record = await a.store.get_turn(copy.id)
    [message] = slack.messages.values()
    assert (message.channel, message.thread_ts) == (place.channel, None)
    assert message.markdown == DONE.text
    assert message.state == "<@U1> asked: Why?"
    assert message.buttons == (["answer_menu"] if place.surface == "dm" else [])
    assert record
    assert record.owner is None


async def test_a_long_answer_is_a_thread_of_messages(tmp_path: Path) -> None:
    slack, text = FakeSlack(), words(5000)
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        assert await copies(a).post(COPY, Draft(Phase.DONE, text)) is RepostResult.POSTED
    root, *rest = slack.messages.values()
    assert rest
    assert {message.thread_ts for message in rest} == {root.ts}
    assert " ".join(m.markdown for m in [root, *rest]).split() == text.split()


async def test_two_presses_that_reach_two_replicas_at_once_post_one(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with (
        Stage(tmp_path) as stage,
        replica(stage, "a", slack) as a,
        replica(stage, "b", slack) as b,
    ):
        posted = await asyncio.gather(copies(a).post(COPY, DONE), copies(b).post(COPY, DONE))
        assert sorted(one.name for one in posted) == ["IN_PROGRESS", "POSTED"]
        assert await copies(b).post(COPY, DONE) is RepostResult.ALREADY_POSTED
    assert len(slack.messages) == 1


async def test_what_slack_refused_can_be_wished_again_and_again(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        slack.fault = always("chat.postMessage", "not_in_channel")
        for _ in range(2):
            assert await copies(a).post(COPY, DONE) is RepostResult.REFUSED_BY_SLACK
        slack.fault = lambda call: None
        assert await copies(a).post(COPY, DONE) is RepostResult.POSTED
        assert await copies(a).post(COPY, DONE) is RepostResult.ALREADY_POSTED
    assert len(slack.messages) == 1


async def test_a_post_whose_answer_was_lost_is_not_made_twice(tmp_path: Path) -> None:
    slack = FakeSlack()
    lose = iter(["lost"])
    slack.fault = lambda call: next(lose, None) if call.method == "chat.postMessage" else None
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        assert await copies(a).post(COPY, DONE) is RepostResult.POSTED
    assert len(slack.messages) == 1


async def test_another_process_posts_what_one_died_of_posting(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        slack.fault = always("chat.postMessage", 503)
        posting = asyncio.create_task(copies(a).post(COPY, DONE))
        await until(lambda: slack.count("chat.postMessage"))
        posting.cancel()
        await a.turns.__aexit__(None, None, None)
        slack.fault = lambda call: None
        async with replica(stage, "b", slack) as b:
            await until(lambda: slack.messages, 3 * LEASE)
            await until(lambda: not b.turns.running_count)
            assert await copies(b).post(COPY, DONE) is RepostResult.ALREADY_POSTED
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
async def test_an_end_is_given_up_only_where_process_after_process_dies_of_it_at_once(
    tmp_path: Path, lives: float, ends: Phase
) -> None:
    slack = FakeSlack()
    slack.fault = always("chat.postMessage", 503)
    async with Stage(tmp_path) as stage:
        async with replica(stage, "first", slack) as first:
            posting = asyncio.create_task(copies(first).post(COPY, DONE))
            await until(lambda: slack.count("chat.postMessage"))
            posting.cancel()
            await first.turns.__aexit__(None, None, None)
        for number in range(2 * MAX_CRASHES):
            await live_and_die(stage, f"r{number}", slack, lives)
        slack.fault = lambda call: None
        async with replica(stage, "last", slack) as last:
            await until(lambda: slack.messages, 3 * LEASE)
            await until(lambda: not last.turns.running_count)
            record = await last.store.get_turn(COPY.id)
    assert record
    assert record.draft.phase is ends


async def test_while_the_database_is_away_nothing_is_posted(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        a.database.away = True
        with pytest.raises(StorageUnavailable):
            await copies(a).post(COPY, DONE)
        assert slack.messages == {}
        a.database.away = False
        assert await copies(a).post(COPY, DONE) is RepostResult.POSTED
    assert len(slack.messages) == 1


async def test_a_copy_is_no_question_that_could_be_tried_again(tmp_path: Path) -> None:
    slack = FakeSlack()
    async with Stage(tmp_path) as stage, replica(stage, "a", slack) as a:
        assert await copies(a).post(COPY, DONE) is RepostResult.POSTED
        assert await a.turns.retry(COPY.id, "U1") is Verdict.ALREADY_DONE
