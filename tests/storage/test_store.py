"""Turns through the door of the room; every test on both databases."""

from __future__ import annotations

from bot.storage.records import Change, Claim, ShownMessage
from bot.storage.store import Store
from bot.values import Draft, Phase
from tests.storage.asked import REPORT, question
from tests.storage.conftest import Stores

DONE = Draft(Phase.DONE, "Because.", "")


async def test_a_question_is_ours_once_by_whatever_name_it_comes_again(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    assert await one.claim(question("Q1", "a", "b"), None) is Claim.OURS
    assert await one.claim(question("Q1", "a", "b"), None) is Claim.TAKEN
    assert await two.claim(question("Q2", "b", "c"), None) is Claim.TAKEN
    assert await two.claim(question("Q3", "c"), None) is Claim.TAKEN
    assert await two.claim(question("Q1", "d"), None) is Claim.TAKEN
    assert await two.claim(question("Q4", "e"), None) is Claim.OURS


async def test_a_turn_is_found_as_it_was_asked_and_as_it_was_journalled(stores: Stores) -> None:
    store = await stores("one")
    asked = question("Q1", files=(REPORT,), response_url="https://hooks.slack.com/1")
    await store.claim(asked, None)
    messages = (ShownMessage("1.1", "C1"), ShownMessage("1.2", "D1", "respond"))
    half = Draft(Phase.STREAMING, "Beca", "Searching")
    changes = [Change("Q1", 1, half, "resp_1", messages, irreversible=True, sending=True)]
    assert await store.journal(changes) == set()

    found = await store.turn("Q1")

    assert found is not None
    assert found.question == asked
    assert (found.draft, found.response_id, found.shown) == (half, "resp_1", messages)
    assert (found.owner, found.fence, found.irreversible, found.sending) == ("one", 1, True, True)
    assert await store.turn("Q2") is None


async def test_what_a_change_does_not_name_stays(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    shown = (ShownMessage("1.1", "C1"),)
    await store.journal([Change("Q1", 1, Draft(Phase.ASKING, "", "…"), "resp_1", shown)])
    await store.journal([Change("Q1", 1, irreversible=True)])
    await store.journal([Change("Q1", 1)])
    found = await store.turn("Q1")
    assert found is not None
    assert (found.draft.note, found.response_id, found.shown) == ("…", "resp_1", shown)
    assert found.irreversible
    await store.journal([Change("Q1", 1, shown=(), irreversible=False)])
    found = await store.turn("Q1")
    assert found is not None
    assert (found.shown, found.irreversible) == ((), False)


async def end(store: Store, turn: str, fence: int = 1) -> set[str]:
    """The turn is over."""
    return await store.journal([Change(turn, fence, DONE, over=True)])
