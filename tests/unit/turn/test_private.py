"""Addresses lent to private answers that another replica writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.delivery.delivery import Delivery, DeliveryConfig
from bot.storage.records import TurnCommand
from bot.turn.ephemeral.actions import EphemeralAnswers
from bot.turn.ephemeral.repost import Reposts
from bot.turn.supervisor import Verdict
from bot.values import Place
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.stage import Answers, Replica, Stage, question, until

ASKED = replace(question(), place=Place("T1", "C1", "command"), ts=None)
URL = "https://hooks.slack.com/actions/T1/1/x"


def private(of: Replica) -> EphemeralAnswers:
    """What the listeners of a replica that writes no answer itself have."""
    slack = connect(FakeSlack())
    return EphemeralAnswers(
        slack,
        Delivery(slack, DeliveryConfig()),
        get_turn=of.store.get_turn,
        send_command=of.store.send_command,
        repost=Reposts(of.store, of.live).post,
    )


async def test_an_address_reaches_the_replica_that_writes_the_answer(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        b = await stage.replica("b", Answers())
        await a.turns.submit(ASKED)
        assert await private(b).add_response_url("q1", "U1", URL, live=True)
        await until(lambda: a.commands)
        assert a.commands == [TurnCommand("q1", "U1", "show", URL)]
        assert b.commands == []
        answers.go.set()
        await until(lambda: not a.turns.running_count)
        assert not await private(b).add_response_url("q1", "U1", URL, live=True)
        assert not await private(b).add_response_url("never", "U1", URL, live=True)


async def test_the_address_that_a_stop_brings_is_there_before_the_stop(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        b = await stage.replica("b", Answers())
        await a.turns.submit(ASKED)
        assert await private(b).add_response_url("q1", "U1", URL, live=False)
        assert await b.turns.stop("q1", "U1") is Verdict.DONE
        await until(lambda: answers.stopped)
        assert a.commands == [TurnCommand("q1", "U1", "end", URL)]


async def test_an_answer_of_another_replica_is_known_to_its_asker_alone(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers(go=True))
        b = await stage.replica("b", Answers())
        await a.turns.submit(ASKED)
        await until(lambda: not a.turns.running_count)
        answer = await private(b).find_answer("q1", "U1")
        assert answer
        assert answer.draft.text == "Because."
        assert await private(b).find_answer("q1", "U2") is None
