"""*Try again* asks what Slack shows when it is pressed; a real database, virtual time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.turn.supervisor import Verdict
from bot.values import Place, Question
from tests.unit.delivery.fake_slack import Call, FakeSlack
from tests.unit.turn.answer_setup import Model, question
from tests.unit.turn.replica_setup import Replica, until
from tests.unit.turn.test_current_question import (
    BELOW,
    LATER,
    NEW,
    OLD,
    READ,
    SURFACES,
    answering,
    prompt_text,
)
from tests.unit.turn.test_revisions import ROOT, asked


class FailingModel(Model):
    """A model that refuses every question while it `fails`."""

    fails = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.fails and request.method == "POST":
            return httpx.Response(401, json={"error": {"message": "no"}})
        return super().__call__(request)


async def failed(replica: Replica, model: FailingModel, *questions: Question) -> str:
    """Ask questions, the later ones joined, whose answer fails; gives the turn of the last one."""
    model.fails = True
    for one in questions:
        await replica.supervisor.submit(one)
    await until(lambda: not replica.supervisor.running_count)
    model.fails = False
    model.requests.clear()
    return questions[min(1, len(questions) - 1)].id


def looks(slack: FakeSlack, since: int) -> list[Call]:
    """The calls that looked for messages of a question."""
    calls = slack.calls[since:]
    return [call for call in calls if call.method == READ and "oldest" in call.arguments]


@pytest.mark.parametrize("place", SURFACES.values(), ids=SURFACES)
async def test_retry_asks_what_slack_shows_with_one_more_read(tmp_path: Path, place: Place) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        turn = await failed(a, model, replace(question(text=OLD), place=place))
        slack.edit("900.1", f"<@UBOT> {NEW}", place.channel)
        before = len(slack.calls)
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert len(looks(slack, before)) == 1
        assert [NEW in prompt_text(model), OLD in prompt_text(model)] == [True, False]


async def test_retry_asks_all_messages_of_a_question_as_slack_shows_them(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        several = (asked(BELOW, OLD), asked(LATER, "Says she?", "U2"))
        turn = await failed(a, model, asked(), *several)
        slack.edit(BELOW, NEW)
        slack.edit(LATER, "Says who?")
        before = len(slack.calls)
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert len(looks(slack, before)) == 1
        assert [one["content"] for one in model.requests[0]["input"][-2:]] == [
            f"From person U1:\n> {NEW}",
            "From person U2:\n> Says who?",
        ]


async def test_retry_asks_the_remaining_messages_of_a_question(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        several = (asked(BELOW, OLD), asked(LATER, "Says who?", "U2"))
        turn = await failed(a, model, asked(), *several)
        del slack.people["C1", BELOW]
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert OLD not in prompt_text(model)
        record = await a.store.get_turn(f"{turn}-2")
        assert record
        assert (record.question.user, record.question.messages) == ("U2", (LATER,))


async def test_retry_of_a_deleted_question_asks_nothing(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        turn = await failed(a, model, asked())
        slack.people.clear()
        assert await a.supervisor.retry(turn, "U2") is Verdict.NOT_ASKER
        assert await a.supervisor.retry(turn, "U1") is Verdict.QUESTION_DELETED
        assert a.supervisor.running_count == 0
        assert model.requests == []


@pytest.mark.parametrize("fault", ["lost", 503, "429:5", "missing_scope"])
async def test_retry_asks_nothing_if_slack_can_not_be_read(
    tmp_path: Path, fault: str | int
) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        turn = await failed(a, model, asked())
        slack.fault = lambda call: fault if call.method == READ else None
        assert await a.supervisor.retry(turn, "U1") is Verdict.STORAGE_UNAVAILABLE
        assert a.supervisor.running_count == 0
        slack.fault = lambda call: None
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE


async def test_retry_asks_a_command_in_its_own_words(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        command = replace(asked(), place=Place("T1", "C1", "command"), ts=None)
        turn = await failed(a, model, replace(command, public=True))
        before = len(slack.calls)
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert looks(slack, before) == []
        assert "Why?" in prompt_text(model)


async def test_retry_of_a_question_whose_text_is_not_stored_reads_it_from_slack(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model, store_text=False) as a:
        turn = await failed(a, model, asked())
        record = await a.store.get_turn(turn)
        assert record
        assert record.question.text == ""
        assert await a.supervisor.retry(turn, "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert "Why?" in prompt_text(model)


async def test_retry_of_a_refused_question_reads_it_from_slack(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answering(tmp_path, slack, model) as a:
        a.database.unavailable = True
        assert not await a.supervisor.submit(asked())
        a.database.unavailable = False
        slack.edit(ROOT, NEW)
        assert await a.supervisor.retry(f"t{ROOT}", "U1") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        assert NEW in prompt_text(model)
