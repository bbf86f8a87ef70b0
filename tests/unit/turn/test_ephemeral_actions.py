"""Response URLs for ephemeral answers that another replica writes."""

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
from tests.unit.turn.replica_setup import FakeAnswers, Replica, ReplicaSetup, question, until

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
        repost=Reposts(of.store, of.running).post,
    )


async def test_response_url_reaches_the_replica_that_writes_the_answer(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        b = await setup.replica("b", FakeAnswers())
        await a.supervisor.submit(ASKED)
        assert await private(b).add_response_url("q1", "U1", URL, live=True)
        await until(lambda: a.commands)
        assert a.commands == [TurnCommand("q1", "U1", "show", URL)]
        assert b.commands == []
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count)
        assert not await private(b).add_response_url("q1", "U1", URL, live=True)
        assert not await private(b).add_response_url("never", "U1", URL, live=True)


async def test_response_url_of_a_stop_arrives_before_the_stop(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        b = await setup.replica("b", FakeAnswers())
        await a.supervisor.submit(ASKED)
        assert await private(b).add_response_url("q1", "U1", URL, live=False)
        assert await b.supervisor.stop("q1", "U1") is Verdict.DONE
        await until(lambda: answers.stopped)
        assert a.commands == [TurnCommand("q1", "U1", "end", URL)]


async def test_answer_of_another_replica_is_found_by_its_asker_only(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(may_end=True))
        b = await setup.replica("b", FakeAnswers())
        await a.supervisor.submit(ASKED)
        await until(lambda: not a.supervisor.running_count)
        answer = await private(b).find_answer("q1", "U1")
        assert answer
        assert answer.draft.text == "Because."
        assert await private(b).find_answer("q1", "U2") is None
