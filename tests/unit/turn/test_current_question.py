"""A question that waited or was taken over is asked as Slack shows it when the model is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.history.question.rereading import TIMEOUT_SECONDS
from bot.storage import rows
from bot.turn.durability.tool_progress import ToolProgress
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolResult, ToolRound
from bot.values import REMOVED_DRAFT, Draft, Phase, Place
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import BackgroundModel, Model, answer_setup, open_runner, question
from tests.unit.turn.replica_setup import Replica, ReplicaSetup, until
from tests.unit.turn.test_revisions import asked

BELOW, LATER = "901.000001", "902.000001"
READ = "conversations.replies"
OLD, NEW = "5 MB?", "50 MB?"
SURFACES = {
    "mention": Place("T1", "C0", "channel", "900.1"),
    "direct message": Place("T1", "D1", "dm", "900.1"),
    "reply": Place("T1", "C0", "channel", "900.0"),
}


@asynccontextmanager
async def answering(
    path: Path, slack: FakeSlack, model: Model, **setup: Any
) -> AsyncIterator[Replica]:
    async with (
        open_runner(slack, model, setup.pop("slots", 10)) as runner,
        ReplicaSetup(path) as found,
    ):
        yield await found.replica("a", runner, **setup)


def prompt_text(model: Model, n: int = -1) -> str:
    """What the model was asked."""
    return str(model.requests[n]["input"])


def with_root(slack: FakeSlack) -> None:
    """Let a thread begin with somebody's message."""
    slack.people["C0", "900.0"] = {"ts": "900.0", "user": "U9", "text": "Hm."}


async def test_question_that_waited_in_its_thread_is_asked_as_slack_shows_it_then(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model) as a:
        await a.supervisor.submit(asked())
        await a.supervisor.submit(asked(BELOW, OLD))
        await a.supervisor.submit(asked(LATER, "Says who?", "U2"))
        slack.edit(BELOW, f"<@UBOT> {NEW}")
        await until(lambda: not a.supervisor.running_count)
        assert [one["content"] for one in model.requests[1]["input"][-2:]] == [
            f"From person U1:\n> {NEW}",
            "From person U2:\n> Says who?",
        ]
        record = await a.store.get_turn(f"t{BELOW}")
        assert record
        assert record.question.words[0].text == NEW


@pytest.mark.parametrize("place", SURFACES.values(), ids=SURFACES)
async def test_question_that_waited_for_a_slot_is_asked_as_slack_shows_it_then(
    tmp_path: Path, place: Place
) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model, slots=1) as a:
        await a.supervisor.submit(asked())
        waits = replace(question(text=OLD), place=place)
        await a.supervisor.submit(waits)
        slack.edit("900.1", NEW, place.channel)
        await until(lambda: not a.supervisor.running_count)
        assert NEW in prompt_text(model)
        assert OLD not in prompt_text(model)


@pytest.mark.parametrize("place", SURFACES.values(), ids=SURFACES)
async def test_question_that_was_taken_over_is_asked_as_slack_shows_it_then(place: Place) -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(replace(question(text=OLD), place=place), fence=2)
        slack.edit("900.1", NEW, place.channel)
        assert await setup.runner.answer(turn) is Phase.DONE
        assert turn.question.text == NEW
        assert setup.journalled().question == turn.question
    assert [NEW in prompt_text(model), OLD in prompt_text(model)] == [True, False]


async def test_fresh_question_is_not_read_again_from_slack() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question()) is Phase.DONE
        assert slack.count(READ) == 0
        with_root(slack)
        assert await setup.answer(replace(question(), place=SURFACES["reply"])) is Phase.DONE
        assert slack.count(READ) == 1  # what was said before it


async def test_fresh_reply_is_asked_as_its_thread_shows_it() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        with_root(slack)
        turn = setup.turn(replace(question(text=OLD), place=SURFACES["reply"]))
        slack.edit("900.1", NEW, "C0")
        await setup.runner.answer(turn)
    assert [NEW in prompt_text(model), OLD in prompt_text(model)] == [True, False]
    assert slack.count(READ) == 1


async def test_fresh_reply_that_slack_does_not_show_yet_is_asked_as_it_was_delivered() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(replace(question(text=OLD), place=SURFACES["reply"]))
        slack.people.clear()
        assert await setup.runner.answer(turn) is Phase.DONE
    assert OLD in prompt_text(model)


GONE: dict[str, Any] = {"deleted": None, "a tombstone": {"ts": "900.1", "subtype": "tombstone"}}


@pytest.mark.parametrize("left", GONE.values(), ids=GONE)
async def test_old_question_that_was_deleted_is_not_asked_and_its_answer_is_removed(
    left: Any,
) -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(), fence=2)
        slack.people = {("C0", "900.1"): left} if left else {}
        assert await setup.runner.answer(turn) is Phase.STOPPED
        assert setup.journalled().draft == REMOVED_DRAFT
    assert model.requests == []
    assert slack.messages == {}


async def test_old_question_with_a_deleted_message_is_asked_as_the_remaining_author_s() -> None:
    slack, model = FakeSlack(), Model()
    other = replace(question(text="Says who?"), user="U2", ts="900.2")
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(rows.merge_questions(question(text=OLD), other), fence=2)
        del slack.people["C0", "900.1"]
        assert await setup.runner.answer(turn) is Phase.DONE
        assert (turn.question.user, turn.question.messages) == ("U2", ("900.2",))
    assert "Says who?" in prompt_text(model)
    assert OLD not in prompt_text(model)


async def test_old_question_waits_until_slack_can_be_read() -> None:
    slack, model = FakeSlack(), Model()
    slack.fault = lambda call: "429:4" if call.method == READ and now() < 3 else None
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(text=OLD), fence=2)
        slack.edit("900.1", NEW, "C0")
        assert await setup.runner.answer(turn) is Phase.DONE
    assert [NEW in prompt_text(model), OLD in prompt_text(model)] == [True, False]


@pytest.mark.parametrize("fault", ["missing_scope", "429:300", 503])
async def test_old_question_that_slack_does_not_show_in_time_is_asked_as_it_was(
    fault: str | int,
) -> None:
    slack, model = FakeSlack(), Model()
    slack.fault = lambda call: fault if call.method == READ else None
    async with answer_setup(slack, model) as setup:
        assert await setup.answer(question(text=OLD), fence=2) is Phase.DONE
        assert now() < TIMEOUT_SECONDS + 8
    assert OLD in prompt_text(model)


SHOUTED = ToolResult(ToolCall("call1", "shout", '{"word": "hey"}'), "HEY")
ROUNDS = ToolProgress((ToolRound(None, (SHOUTED,)),)).to_json()
BEGUN: dict[str, dict[str, Any]] = {
    "a response": {"response_id": "resp_1", "draft": Draft(Phase.STREAMING, "One ")},
    "tool rounds": {"tool_rounds": ROUNDS},
}


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
async def test_answer_that_was_begun_is_resumed_without_reading_its_question_again(
    begun: dict[str, Any],
) -> None:
    slack, model = FakeSlack(), BackgroundModel()
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(text=OLD), fence=2, **begun)
        slack.people.clear()
        assert await setup.runner.answer(turn) is Phase.DONE
    assert slack.count(READ) == 0


async def test_question_whose_words_were_deleted_is_answered_without_the_model() -> None:
    slack, model = FakeSlack(), Model()
    async with answer_setup(slack, model) as setup:
        turn = setup.turn(question(), fence=2)
        slack.edit("900.1", "<@UBOT>", "C0")
        assert await setup.runner.answer(turn) is Phase.DONE
    assert model.requests == []
    [message] = slack.messages.values()
    assert message.markdown == english(Phrase.EMPTY_QUESTION)
