"""Checkpoints, take-overs, hand-overs and pruning of turns."""

from __future__ import annotations

import pytest

from bot.errors import StorageError, StorageUnavailable
from bot.storage.records import Change, Claim, ShownMessage, Spent
from bot.storage.retention import CLAIM_RETENTION_SECONDS
from bot.storage.store import Store
from bot.storage.transactions.turn_updates import MAX_IDS_PER_STATEMENT
from bot.values import Draft, Phase, Usage
from tests.unit.storage.conftest import Stores
from tests.unit.storage.questions import DONE, REPORT, close_turn, question

HALF = Draft(Phase.STREAMING, "Beca", "Searching")
STANDING = (ShownMessage("1.1", "C1"), ShownMessage("1.2", "D1", "respond"))


async def test_turn_is_read_as_it_was_claimed_and_checkpointed(stores: Stores) -> None:
    store = await stores("one")
    asked = question("Q1", files=(REPORT,), response_url="https://hooks.slack.com/1")
    await store.claim(asked, None)
    changes = [Change("Q1", 1, HALF, "resp_1", STANDING, irreversible=True, send_unverifiable=True)]
    assert await store.write_changes(changes) == set()

    found = await store.get_turn("Q1")

    assert found is not None
    assert found.question == asked
    assert (found.draft, found.response_id, found.messages) == (HALF, "resp_1", STANDING)
    assert (found.owner, found.fence, found.irreversible, found.send_unverifiable) == (
        "one",
        1,
        True,
        True,
    )
    assert not found.waiting
    assert await store.get_turn("Q2") is None


async def test_checkpoint_stores_the_cursor_with_the_text(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    await store.write_changes([Change("Q1", 1, HALF, "resp_1", cursor="7 0 0 4")])
    await store.write_changes([Change("Q1", 1, irreversible=True)])
    found = await store.get_turn("Q1")
    assert found is not None
    assert found.cursor == "7 0 0 4"
    await store.write_changes([Change("Q1", 1, DONE, cursor="")])
    found = await store.get_turn("Q1")
    assert found is not None
    assert found.cursor == ""


async def test_checkpoint_keeps_spent_limits_until_more_is_spent(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    for change, kept in [
        (Change("Q1", 1), Spent()),
        (Change("Q1", 1, spent=Spent(12.5, 7)), Spent(12.5, 7)),
        (Change("Q1", 1, HALF), Spent(12.5, 7)),
        (Change("Q1", 1, spent=Spent(1800.25, 10**12)), Spent(1800.25, 10**12)),
    ]:
        await store.write_changes([change])
        found = await store.get_turn("Q1")
        assert found is not None
        assert found.spent == kept


async def test_change_leaves_other_fields_as_they_are(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    await store.write_changes([Change("Q1", 1, HALF, "resp_1", STANDING)])
    await store.write_changes([Change("Q1", 1, irreversible=True)])
    await store.write_changes([Change("Q1", 1)])
    found = await store.get_turn("Q1")
    assert found is not None
    assert (found.draft, found.response_id, found.messages) == (HALF, "resp_1", STANDING)
    assert found.irreversible
    await store.write_changes([Change("Q1", 1, messages=STANDING[1:], irreversible=False)])
    found = await store.get_turn("Q1")
    assert found is not None
    assert (found.messages, found.irreversible) == (STANDING[1:], False)


async def test_readable_turn_frees_its_thread_before_it_is_closed(
    stores: Stores,
) -> None:
    store = await stores("one")
    assert await store.claim(question("Q1"), "a thread") is Claim.CLAIMED
    assert await store.claim(question("Q2"), "a thread") is Claim.QUEUED
    await store.write_changes([Change("Q1", 1, DONE)])
    assert await store.promote("Q2", 1) is None

    await store.write_changes([Change("Q1", 1, readable=True)])

    assert await store.promote("Q2", 1) is not None
    assert [record.question.id for record in await store.get_unfinished_turns("one")] == [
        "Q1",
        "Q2",
    ]
    await store.write_changes([Change("Q2", 1, readable=True)])
    assert await store.claim(question("Q3"), "a thread") is Claim.CLAIMED
    assert await close_turn(store, "Q1") == set()
    assert await close_turn(store, "Q2") == set()


async def test_changes_with_an_older_fence_are_refused_one_by_one(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    for name in ("Q1", "Q2"):
        await one.claim(question(name), None)
    await two.take_over("Q1", 1, count_crash=True)

    changes = [Change(name, 1, HALF, messages=STANDING) for name in ("Q1", "Q2", "Q3")]

    assert await one.write_changes(changes) == {"Q1", "Q3"}
    lost, kept = await one.get_turn("Q1"), await one.get_turn("Q2")
    assert lost is not None
    assert kept is not None
    assert (lost.draft.text, lost.messages) == ("", ())
    assert (kept.draft, kept.messages) == (HALF, STANDING)
    assert await close_turn(one, "Q1") == {"Q1"}
    assert await close_turn(two, "Q1", 2) == set()
    assert await two.write_changes([]) == set()


async def test_changes_beyond_the_statement_limit_are_one_transaction(
    stores: Stores,
) -> None:
    store = await stores("one")
    names = [f"Q{n}" for n in range(MAX_IDS_PER_STATEMENT + 10)]
    changes = [Change(name, 1, HALF) for name in names]
    for name in names[:3] + names[-3:]:
        await store.claim(question(name), None)
    assert await store.write_changes(changes) == set(names[3:-3])
    assert len(await store.get_unfinished_turns("one")) == 6
    await store.release(names)
    assert len(await store.get_unfinished_turns(None)) == 6


async def test_closed_turn_has_no_owner_and_no_response_url(stores: Stores) -> None:
    store = await stores("one")
    asked = question("Q1", files=(REPORT,), response_url="https://hooks.slack.com/1")
    await store.claim(asked, "t")
    assert await close_turn(store, "Q1") == set()
    assert await close_turn(store, "Q1") == set(), (
        "its reply may have been lost: it is asked for again"
    )
    found = await store.get_turn("Q1")
    assert found is not None
    assert (found.owner, found.draft) == (None, DONE)
    assert (found.question.text, found.question.files) == (asked.text, asked.files)
    assert found.question.response_url is None
    assert await store.get_unfinished_turns("one") == await store.get_unfinished_turns(None) == []
    assert await store.get_owners() == set()
    assert await store.take_over("Q1", 1, count_crash=True) is None


async def test_text_is_deleted_when_the_turn_is_closed_without_store_text(
    stores: Stores,
) -> None:
    store: Store = await stores("one", store_text=False)
    await store.claim(question("Q1", text="secret", files=(REPORT,)), None)
    half = Draft(Phase.STREAMING, "secret", "secret")
    await store.write_changes([Change("Q1", 1, half, tool_rounds='"secret"')])
    found = await store.get_turn("Q1")
    assert found is not None
    assert (found.question.text, found.draft.text) == ("secret", "secret")
    assert found.tool_rounds == '"secret"'
    draft = Draft(Phase.DONE, "secret", "secret")
    await store.write_changes([Change("Q1", 1, draft, "resp_1", STANDING, closed=True)])
    found = await store.get_turn("Q1")
    assert found is not None
    assert (found.question.text, found.question.files) == ("", ())
    assert found.draft == Draft(Phase.DONE)
    assert found.tool_rounds == ""
    assert (found.response_id, found.messages) == ("resp_1", STANDING)


async def test_tool_rounds_are_kept_until_the_turn_is_closed(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    for change, kept in (
        (Change("Q1", 1, tool_rounds="[1]"), "[1]"),
        (Change("Q1", 1, HALF), "[1]"),
        (Change("Q1", 1, tool_rounds=""), ""),
        (Change("Q1", 1, tool_rounds="[2]"), "[2]"),
        (Change("Q1", 1, DONE, tool_rounds="[3]", closed=True), ""),
    ):
        assert await store.write_changes([change]) == set()
        found = await store.get_turn("Q1")
        assert found is not None
        assert found.tool_rounds == kept


async def test_usage_of_an_answer_is_stored(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    cost = Usage(2**40, 7, 3, 5, "gpt-5.4-2026")
    for change, known in (
        (Change("Q1", 1, HALF), Usage()),
        (Change("Q1", 1, usage=Usage(1, 2, model="m\0")), Usage(1, 2, model="m")),
        (Change("Q1", 1, usage=Usage()), Usage(1, 2, model="m")),
        (Change("Q1", 1, usage=cost), cost),
        (Change("Q1", 1, DONE, closed=True), cost),
    ):
        await store.write_changes([change])
        found = await store.get_turn("Q1")
        assert found is not None
        assert found.usage == known


@pytest.mark.parametrize("odd", ["a\0b", "a\ud83d b", "a\udc00b", "\U0001f9a6"])
async def test_text_that_no_database_takes_is_cleaned(stores: Stores, odd: str) -> None:
    store = await stores("one")
    file = REPORT.__class__("F1", odd, "text/plain", 1, "https://files.slack.com/1")
    assert await store.claim(question("Q1", text=odd, files=(file,)), None) is Claim.CLAIMED
    await store.write_changes([Change("Q1", 1, Draft(Phase.STREAMING, odd, odd))])
    found = await store.get_turn("Q1")
    assert found is not None
    expected = odd.replace("\0", "").encode("utf-8", "replace").decode()
    assert (found.question.text, found.draft.text, found.draft.status_line) == (expected,) * 3
    assert found.question.files == (file,)


async def test_change_that_can_never_be_written_is_no_outage(
    stores: Stores,
) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    wrong = Change("Q1", 1, HALF, messages=(ShownMessage("\ud83d", "C1"),))
    with pytest.raises(StorageError) as caught:
        await store.write_changes([wrong])
    assert not isinstance(caught.value, StorageUnavailable)
    found = await store.get_turn("Q1")
    assert found is not None
    assert found.draft.text == "", "all of it or nothing"
    assert await store.write_changes([Change("Q1", 1, HALF)]) == set()


async def test_take_over_has_one_winner_and_counts_crashes(stores: Stores) -> None:
    now = 100.0
    one, two = await stores("one"), await stores("two", now=lambda: now)
    three = await stores("three", now=lambda: now)
    await one.claim(question("Q1"), None)
    await one.write_changes([Change("Q1", 1, HALF, "resp_1", STANDING)])

    taken = await two.take_over("Q1", 1, count_crash=True)

    assert taken is not None
    assert (taken.owner, taken.fence, taken.crash_count, taken.first_crash_at) == (
        "two",
        2,
        1,
        100.0,
    )
    assert (taken.draft, taken.response_id, taken.messages) == (HALF, "resp_1", STANDING)
    assert await three.take_over("Q1", 1, count_crash=True) is None
    assert await two.take_over("Q1", 1, count_crash=True) is None, (
        "a turn is taken over once per fencing token"
    )
    now = 200.0
    again = await three.take_over("Q1", 2, count_crash=True)
    assert again is not None
    assert (again.fence, again.crash_count, again.first_crash_at) == (3, 2, 100.0)
    await three.write_changes([Change("Q1", 3, crash_count=0)])
    now = 300.0
    anew = await two.take_over("Q1", 3, count_crash=True)
    assert anew is not None
    assert (anew.crash_count, anew.first_crash_at) == (1, 300.0)


async def test_hand_over_counts_no_crash(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    for name in ("Q1", "Q2", "Q3"):
        await one.claim(question(name), None)
    await two.release(["Q2"])
    assert await two.get_unfinished_turns(None) == []
    await one.release(["Q2", "Q3"])
    assert await one.get_owners() == {"one"}
    released = await two.get_unfinished_turns(None)
    assert [turn.question.id for turn in released] == ["Q2", "Q3"]
    taken = await two.take_over("Q2", 1, count_crash=False)
    assert taken is not None
    assert (taken.owner, taken.fence, taken.crash_count, taken.first_crash_at) == (
        "two",
        2,
        0,
        None,
    )
    assert await two.get_owners() == {"one", "two"}


async def test_unfinished_turns_are_in_the_order_they_were_asked(stores: Stores) -> None:
    moments = iter([30.0, 10.0, 20.0])
    store = await stores("one", now=lambda: next(moments))
    for name in ("C", "A", "B"):
        await store.claim(question(name), None)
    # A clock that is set back does not mix up what this replica has taken.
    assert [turn.question.id for turn in await store.get_unfinished_turns("one")] == ["C", "A", "B"]


async def test_pruning_deletes_old_turns_only(stores: Stores) -> None:
    now = 0.0
    store = await stores("one", now=lambda: now)
    for name in ("old", "live"):
        await store.claim(question(name, name), None)
    await store.write_changes([Change("old", 1, DONE, messages=STANDING, closed=True)])
    now = 3 * CLAIM_RETENTION_SECONDS
    await store.claim(question("new", "new"), None)
    await close_turn(store, "new")

    assert await store.prune(4 * CLAIM_RETENTION_SECONDS) == 0
    assert await store.get_turn("old") is not None
    assert await store.prune(2 * CLAIM_RETENTION_SECONDS) == 1

    assert await store.get_turn("old") is None
    assert await store.get_turn("live") is not None
    assert await store.get_turn("new") is not None
    assert await store.claim(question("old", "old"), None) is Claim.CLAIMED
    assert await store.claim(question("new", "new"), None) is Claim.DUPLICATE


async def test_claims_are_kept_for_a_day(stores: Stores) -> None:
    now = 0.0
    store = await stores("one", now=lambda: now)
    await store.claim(question("Q1", "a"), None)
    await close_turn(store, "Q1")
    now = CLAIM_RETENTION_SECONDS - 1.0
    await store.prune(0)
    assert await store.claim(question("Q2", "a"), None) is Claim.DUPLICATE
    now = CLAIM_RETENTION_SECONDS + 1.0
    await store.prune(0)
    assert await store.claim(question("Q2", "a"), None) is Claim.CLAIMED


async def test_pruning_deletes_more_than_one_batch(stores: Stores) -> None:
    now = 0.0
    store = await stores("one", now=lambda: now)
    several = [[f"k{n}" for n in range(start, start + 100)] for start in range(0, 700, 100)]
    for n, keys in enumerate(several):
        await store.claim(question(f"A{n}", *keys), None)
        await close_turn(store, f"A{n}")
    now = CLAIM_RETENTION_SECONDS + 1.0
    await store.prune(0)
    for n, keys in enumerate(several):
        assert await store.claim(question(f"B{n}", *keys), None) is Claim.CLAIMED
