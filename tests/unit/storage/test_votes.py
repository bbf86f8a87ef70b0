"""Votes on answers in the database: one for each person and answer, the last one counts."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage import votes as votes_module
from bot.storage.engine.database import Database, open_database
from bot.storage.records import Change, Claim, Sign, StoredVote, Vote
from bot.storage.votes import VoteStore
from bot.values import Draft, Phase, Usage
from bot.version import version
from tests.unit.storage.conftest import PATIENCE, Stores
from tests.unit.storage.questions import question

VOTE = Vote("Q1", "U1", "good", 100.0)
BAD = replace(VOTE, sign="bad")
USAGE = Usage(3, 7, 1, 2, "model-1")


async def stored(store: VoteStore, since: float = 0.0) -> list[StoredVote]:
    return [vote async for vote in store.read(since)]


async def test_last_vote_of_a_person_on_an_answer_counts(database: Database) -> None:
    store = VoteStore(database, team="T1")
    assert await store.record_vote(VOTE)
    assert await store.record_vote(replace(BAD, at=101.0))
    [vote] = await stored(store)
    assert (vote.team, vote.turn, vote.person, vote.sign) == ("T1", "Q1", "U1", "bad")


async def test_repeated_vote_is_not_new(database: Database) -> None:
    store = VoteStore(database)
    assert await store.record_vote(VOTE)
    assert not await store.record_vote(VOTE)
    assert not await store.record_vote(replace(VOTE, at=101.0))
    assert len(await stored(store)) == 1


async def test_earlier_vote_that_arrives_late_changes_nothing(database: Database) -> None:
    store = VoteStore(database)
    await store.record_vote(VOTE)
    assert not await store.record_vote(replace(BAD, at=99.0, reason="wrong", words="no"))
    [vote] = await stored(store)
    assert (vote.sign, vote.reason, vote.words) == ("good", "", "")


async def test_votes_of_other_people_answers_and_teams_are_kept_apart(database: Database) -> None:
    ours, theirs = VoteStore(database, team="T1"), VoteStore(database, team="T2")
    for store in (ours, theirs):
        for turn in ("Q1", "Q2"):
            for person in ("U1", "U2"):
                assert await store.record_vote(replace(VOTE, turn=turn, person=person))
    assert len(await stored(ours)) == 8


async def test_reason_and_words_stay_with_a_repeated_vote_and_go_with_another(
    database: Database,
) -> None:
    store = VoteStore(database)
    await store.record_vote(BAD)
    await store.record_vote(replace(BAD, reason="wrong", words="It is\0 five."))
    await store.record_vote(replace(BAD, at=101.0))
    [vote] = await stored(store)
    assert (vote.reason, vote.words) == ("wrong", "It is five.")
    await store.record_vote(replace(VOTE, at=102.0))
    [vote] = await stored(store)
    assert (vote.sign, vote.reason, vote.words) == ("good", "", "")


async def test_reason_of_a_vote_that_was_not_stored_is_stored_as_a_vote(database: Database) -> None:
    store = VoteStore(database)
    assert await store.record_vote(replace(BAD, reason="unsafe"))
    [vote] = await stored(store)
    assert (vote.sign, vote.reason) == ("bad", "unsafe")


async def test_words_are_not_stored_where_text_is_not(database: Database) -> None:
    store = VoteStore(database, store_text=False)
    await store.record_vote(replace(BAD, reason="wrong", words="secret"))
    [vote] = await stored(store)
    assert (vote.reason, vote.words) == ("wrong", "")


async def test_vote_has_a_copy_of_what_is_known_of_the_answer(stores: Stores) -> None:
    replica = await stores("A", now=iter([10.0, 14.5]).__next__, team="T1")
    await replica.claim(question("Q1"), None)
    done = Draft(Phase.DONE, "Four.")
    await replica.write_changes([Change("Q1", 1, done, usage=USAGE, closed=True)])
    store = VoteStore(replica._database, team="T1")
    await store.record_vote(replace(VOTE, turn="Q1.share"))
    [vote] = await stored(store)
    assert (vote.turn, vote.model, vote.version) == ("Q1", "model-1", version())
    assert vote.latency_seconds == 4.5
    assert (vote.input_tokens, vote.output_tokens) == (3, 7)
    assert (vote.cached_tokens, vote.reasoning_tokens) == (1, 2)


async def test_vote_belongs_to_the_version_whose_text_is_shown(stores: Stores) -> None:
    replica = await stores("A", team="T1")
    store = VoteStore(replica._database, team="T1")
    done = Draft(Phase.DONE, "Four.")
    await replica.claim(question("Q1"), None)
    await replica.write_changes([Change("Q1", 1, done, usage=USAGE, closed=True)])
    again = question("Q1-3", "rewrite:Q1:3")
    assert await replica.claim_rewrite(again, None, done, (), "Q1") is Claim.CLAIMED
    failed = question("Q1-2", "rewrite:Q1:2")
    assert await replica.claim_rewrite(failed, None, done, ()) is Claim.CLAIMED
    await replica.write_changes([Change("Q1-2", 1, done, shows="Q1", closed=True)])
    for person, turn in (("U1", "Q1"), ("U2", "Q1-2"), ("U3", "Q1-3")):
        assert await store.record_vote(replace(VOTE, person=person, turn=turn))
    assert {(one.turn, one.model) for one in await stored(store)} == {("Q1", "model-1")}


async def test_copy_is_completed_by_a_later_vote_and_outlives_the_turn(stores: Stores) -> None:
    times = iter([10.0, 12.0, 1e9, 1e9])
    replica = await stores("A", now=times.__next__, team="T1")
    store = VoteStore(replica._database, team="T1")
    await replica.claim(question("Q1"), None)
    await store.record_vote(BAD)
    [vote] = await stored(store)
    assert (vote.model, vote.latency_seconds) == ("", None)
    await replica.write_changes(
        [Change("Q1", 1, Draft(Phase.DONE, "Four."), usage=USAGE, closed=True)]
    )
    await store.record_vote(replace(BAD, reason="wrong"))
    assert await replica.prune(0) == 1
    await store.record_vote(replace(BAD, at=101.0))
    [vote] = await stored(store)
    assert (vote.model, vote.latency_seconds, vote.reason) == ("model-1", 2.0, "wrong")


async def test_vote_on_an_unknown_answer_is_stored_without_a_copy(database: Database) -> None:
    store = VoteStore(database)
    assert await store.record_vote(VOTE)
    [vote] = await stored(store)
    assert (vote.model, vote.version, vote.latency_seconds, vote.input_tokens) == (
        "",
        "",
        None,
        None,
    )


async def test_votes_are_deleted_after_a_retention_time_of_their_own(stores: Stores) -> None:
    ours = await stores("A", now=lambda: 1000.0, team="T1", vote_seconds=100.0)
    for team in ("T1", "T2"):
        for turn, at in (("Q1", 899.0), ("Q2", 901.0)):
            store = VoteStore(ours._database, team=team)
            await store.record_vote(replace(VOTE, turn=turn, at=at))
    await ours.prune(1e9)
    left = [(vote.team, vote.turn) for vote in await stored(VoteStore(ours._database))]
    assert left == [("T2", "Q1"), ("T1", "Q2"), ("T2", "Q2")]


async def test_concurrent_votes_of_a_person_leave_the_last_one(stores: Stores) -> None:
    replicas = [await stores(name) for name in ("A", "B")]
    votes = [replace(VOTE, sign="bad" if n % 2 else "good", at=float(n + 1)) for n in range(12)]
    random.Random(7).shuffle(votes)
    await asyncio.gather(
        *(VoteStore(replicas[n % 2]._database).record_vote(vote) for n, vote in enumerate(votes))
    )
    [vote] = await stored(VoteStore(replicas[0]._database))
    assert (vote.sign, vote.voted_at) == ("bad", 12.0)


async def test_votes_are_read_in_pages_oldest_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(votes_module, "PAGE_VOTES", 3)
    store = VoteStore(database)
    for n in range(10):
        await store.record_vote(replace(VOTE, turn=f"Q{n}", at=float(n // 4 + 1)))
    read = await stored(store)
    assert [vote.turn for vote in read] == [f"Q{n}" for n in range(10)]
    assert [vote.turn for vote in await stored(store, since=3.0)] == ["Q8", "Q9"]


async def test_summary_of_no_votes_is_empty(database: Database) -> None:
    assert await VoteStore(database).summarise() == []


async def test_summary_counts_by_model_and_version(stores: Stores) -> None:
    clock = 0.0
    replica = await stores("A", now=lambda: clock, team="T1")
    store = VoteStore(replica._database, team="T1")
    latencies = {"a": [1.0, 9.0, 4.0], "b": [2.0, 3.0]}
    for model, seconds in latencies.items():
        for n, latency in enumerate(seconds):
            clock = 100.0
            turn = f"{model}{n}"
            await replica.claim(question(turn), None)
            clock += latency
            ended = Draft(Phase.DONE, "Four.")
            change = Change(turn, 1, ended, usage=Usage(1, 1, model=model), closed=True)
            await replica.write_changes([change])
            await store.record_vote(Vote(turn, "U1", "bad", 1000.0, "wrong"))
            await store.record_vote(Vote(turn, "U2", "bad" if n else "good", 1000.0))
    first, second = await store.summarise()
    assert (first.model, first.version, first.votes, first.good) == ("a", version(), 6, 1)
    assert first.reasons == {"wrong": 3}
    assert first.median_latency_seconds == pytest.approx(median(latencies["a"]))
    assert (second.model, second.votes) == ("b", 4)
    assert second.median_latency_seconds == pytest.approx(median(latencies["b"]))
    assert await store.summarise(since=1000.5) == []


PRESSES = st.lists(
    st.tuples(
        st.sampled_from(["U1", "U2"]),
        st.sampled_from(["Q1", "Q1.share", "Q2"]),
        st.sampled_from(["good", "bad"]),
        st.integers(1, 5),
        st.sampled_from(["", "wrong", "other"]),
    ),
    max_size=12,
)


@given(presses=PRESSES)
def test_stored_votes_are_those_of_a_table_kept_by_hand(
    presses: list[tuple[str, str, Sign, int, str]],
) -> None:
    expected: dict[tuple[str, str], tuple[str, float, str]] = {}
    given = [
        Vote(turn, person, sign, float(at), reason if sign == "bad" else "")
        for person, turn, sign, at, reason in presses
    ]
    for vote in given:
        key = (vote.person, vote.turn[:2])
        sign, at, reason = expected.get(key, ("", 0.0, ""))
        if vote.at >= at:
            kept = reason if sign == vote.sign and not vote.reason else vote.reason
            expected[key] = (vote.sign, vote.at, kept)
    assert asyncio.run(_after(given)) == expected


async def _after(given: list[Vote]) -> dict[tuple[str, str], tuple[str, float, str]]:
    async with open_database("sqlite://", timeout_seconds=PATIENCE) as database:
        await database.migrate()
        store = VoteStore(database)
        for vote in given:
            await store.record_vote(vote)
        return {
            (vote.person, vote.turn): (vote.sign, vote.voted_at, vote.reason)
            for vote in await stored(store)
        }
