"""Claims of questions, and the order of the turns of a thread."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from bot.errors import LeaseLost
from bot.storage.records import Claim
from bot.values import Draft, Phase
from tests.unit.storage.conftest import Stores
from tests.unit.storage.questions import DONE, REPORT, close_turn, question


async def test_question_is_claimed_once_under_all_its_keys(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    assert await one.claim(question("Q1", "a", "b"), None) is Claim.CLAIMED
    assert await one.claim(question("Q1", "a", "b"), None) is Claim.DUPLICATE
    assert await two.claim(question("Q2", "b", "c"), None) is Claim.DUPLICATE
    assert await two.claim(question("Q3", "c"), None) is Claim.DUPLICATE
    assert await two.claim(question("Q1", "d"), None) is Claim.DUPLICATE
    assert await two.claim(question("Q4", "e"), None) is Claim.CLAIMED
    assert await two.get_turn("Q2") is None


async def test_question_without_keys_is_claimed_by_its_id(stores: Stores) -> None:
    store = await stores("one")
    again = question("Q1-2", "turn:Q1-2")
    assert await store.claim(again, None) is Claim.CLAIMED
    await close_turn(store, "Q1-2")
    assert await store.claim(again, None) is Claim.DUPLICATE


async def test_claim_stores_a_known_final_draft(stores: Stores) -> None:
    store = await stores("one")
    assert await store.claim(question("Q1", "a"), None, DONE) is Claim.CLAIMED
    assert await store.claim(question("Q1", "a"), None, DONE) is Claim.DUPLICATE
    [record] = await store.get_unfinished_turns("one")
    assert (record.draft, record.owner) == (DONE, "one")


async def test_claim_closes_a_turn_that_has_nothing_to_show(stores: Stores) -> None:
    store = await stores("one")
    nothing = Draft(Phase.DONE)
    assert await store.claim(question("Q1", "a"), None, nothing) is Claim.CLAIMED
    assert await store.claim(question("Q1"), None, nothing) is Claim.DUPLICATE
    assert await store.get_unfinished_turns("one") == []
    record = await store.get_turn("Q1")
    assert record is not None
    assert (record.draft, record.owner) == (nothing, None)
    assert await store.prune(-1) == 1


async def test_claims_of_one_question_at_once_have_one_winner(stores: Stores) -> None:
    replicas = [await stores(f"r{n}") for n in range(3)]
    deliveries = [question(f"Q{n}", f"k{n % 5}", f"k{(n + 1) % 5}", "k") for n in range(50)]
    claims = [
        replicas[n % 3].claim(asked, "thread" if n % 2 else None)
        for n, asked in enumerate(deliveries)
    ]
    assert Counter(await asyncio.gather(*claims)) == {Claim.CLAIMED: 1, Claim.DUPLICATE: 49}
    kept = [
        turn for replica in replicas for turn in await replica.get_unfinished_turns(replica.replica)
    ]
    assert len(kept) == 1


async def test_thread_has_one_live_turn_and_merges_questions_into_the_waiting_one(
    stores: Stores,
) -> None:
    one, two = await stores("one"), await stores("two")
    assert await one.claim(question("Q1"), "t") is Claim.CLAIMED
    assert await two.claim(question("Q2", text="and", ts="3.0"), "t") is Claim.QUEUED
    joining = question("Q3", "a", "b", text="how?", ts="4.0", files=(REPORT,))
    assert await one.claim(joining, "t") is Claim.MERGED
    assert await one.claim(question("Q3", "b"), "t") is Claim.DUPLICATE
    assert await one.claim(question("Q4"), "other") is Claim.CLAIMED

    assert await two.promote("Q2", 1) is None
    await close_turn(one, "Q1")
    begun = await two.promote("Q2", 1)

    assert begun is not None
    assert (begun.id, begun.text, begun.ts, begun.earlier) == ("Q2", "and\n\nhow?", "4.0", ("3.0",))
    assert (begun.keys, begun.files, begun.user) == (("a", "b"), (REPORT,), "U1")
    assert await two.promote("Q2", 1) == begun
    assert await one.claim(question("Q5"), "t") is Claim.QUEUED


async def test_merged_question_has_its_messages_in_order(
    stores: Stores,
) -> None:
    store = await stores("one")
    for name, ts in (("Q1", "1.0"), ("Q2", "3.0"), ("Q3", "2.0"), ("Q4", "4.0")):
        await store.claim(question(name, ts=ts), "t")
    waiting = await store.get_turn("Q2")
    assert waiting is not None
    assert waiting.waiting
    assert (waiting.question.ts, waiting.question.earlier) == ("4.0", ("2.0", "3.0"))
    assert waiting.question.messages[0] == "2.0"


async def test_question_is_merged_into_a_waiting_turn_though_the_thread_is_free(
    stores: Stores,
) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), "t")
    await store.claim(question("Q2"), "t")
    await close_turn(store, "Q1")
    assert await store.claim(question("Q3"), "t") is Claim.MERGED
    assert await store.promote("Q2", 1) is not None


async def test_claims_in_one_thread_at_once_become_a_live_and_a_waiting_turn(
    stores: Stores,
) -> None:
    replicas = [await stores(f"r{n}") for n in range(3)]
    asked = [question(f"Q{n}", text=f"<{n}>", ts=f"{n:02}") for n in range(50)]
    claims = await asyncio.gather(
        *(replicas[n % 3].claim(each, "t") for n, each in enumerate(asked))
    )
    assert Counter(claims) == {Claim.CLAIMED: 1, Claim.QUEUED: 1, Claim.MERGED: 48}
    live = asked[claims.index(Claim.CLAIMED)]
    waiting = await replicas[0].get_turn(asked[claims.index(Claim.QUEUED)].id)
    assert waiting is not None
    texts = waiting.question.text.split("\n\n")
    assert sorted([live.text, *texts]) == sorted(each.text for each in asked)


async def test_live_turn_of_a_thread_is_found(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    assert await two.get_live_turn("t") is None
    await one.claim(question("Q1"), "t")
    await one.claim(question("Q2"), "t")
    found = await two.get_live_turn("t")
    assert found is not None
    assert (found.question.id, found.owner) == ("Q1", "one")
    await close_turn(one, "Q1")
    assert await two.get_live_turn("t") is None, "the one that waits has not begun"


async def test_promote_raises_lease_lost_for_a_turn_of_another_replica(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await one.claim(question("Q1"), "t")
    await one.claim(question("Q2"), "t")
    with pytest.raises(LeaseLost):
        await two.promote("Q2", 1)
    await two.take_over("Q2", 1, count_crash=False)
    with pytest.raises(LeaseLost):
        await one.promote("Q2", 1)
    with pytest.raises(LeaseLost):
        await one.promote("Q9", 1)
    assert await two.promote("Q2", 2) is None
    await close_turn(one, "Q1")
    assert await two.promote("Q2", 2) is not None
    await close_turn(two, "Q2", 2)
    with pytest.raises(LeaseLost):
        await two.promote("Q2", 2)
