"""*Regenerate* writes an answer again in its messages; a real database, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.render.buttons import MENU_ACTION, STOP_ACTION
from bot.storage.records import Claim
from bot.turn.regenerate import Regeneration
from bot.turn.supervisor import Verdict
from bot.values import Phase, Place, Rewrite
from bot.words import Phrase
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack, Stored
from tests.unit.turn.answer_setup import Model, open_runner, question
from tests.unit.turn.replica_setup import Replica, ReplicaSetup, until
from tests.unit.turn.test_current_question import answering, prompt_text
from tests.unit.turn.test_retry import FailingModel

NEW = ("Four ", "five ", "six ", "seven.")
LONG = tuple(f"Line {n} of a text that is long.\n\n" for n in range(900))
"""An answer of three messages."""

WORDS = [english(phrase) for phrase in (Phrase.WRITING, Phrase.WRITING_AGAIN)]


def pressing(replica: Replica) -> Regeneration:
    runner: Any = replica.running._answer.__self__  # type: ignore[attr-defined]  # a bound method
    return Regeneration(replica.store, replica.running, runner.history)


async def idle(replica: Replica) -> None:
    await until(lambda: not replica.supervisor.running_count, 600)


@asynccontextmanager
async def answered(
    path: Path, slack: FakeSlack, model: Model, **setup: Any
) -> AsyncIterator[Replica]:
    """A replica that has answered a question; the model writes NEW from then on."""
    async with answering(path, slack, model, **setup) as a:
        await a.supervisor.submit(question())
        await idle(a)
        model.words = NEW
        model.requests.clear()
        yield a


def texts(slack: FakeSlack) -> list[str]:
    return [message.markdown for message in slack.thread("900.1")]


async def test_regenerate_replaces_the_text_in_the_same_message(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        [message] = slack.thread("900.1")
        before, message.history, message.states = message.ts, [], []
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.DONE
        await idle(a)
        [message] = slack.thread("900.1")
        assert (message.ts, message.markdown) == (before, "Four five six seven.")
        assert (message.turn, message.buttons) == ("turn0-2", [MENU_ACTION])
        assert message.history[0] == "One two three."  # until there is new text
        assert message.states[0].startswith(english(Phrase.WRITING_AGAIN))
        assert "" not in message.history[1:]  # after its placeholder
        assert prompt_text(model).count("One two three.") == 0
        first, second = await a.store.get_turns(["turn0", "turn0-2"])
        assert (first.draft.text, second.draft.text) == ("One two three.", "Four five six seven.")
        assert [one.ts for one in second.messages] == [one.ts for one in first.messages]
        assert second.question.rewrite == Rewrite("turn0", 2, "turn0", ("turn0",))
        assert second.earlier is None  # it is kept with its own turn
        assert await a.store.find_existing(["turn0-3", "turn0-2"]) == ["turn0-2"]


async def test_regenerate_can_be_chosen_again_and_again(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        for number in range(2, 5):
            model.words = (f"Version {number}.",)
            turn = "turn0" if number == 2 else f"turn0-{number - 1}"
            assert await pressing(a).start(turn, number, "U1") is Verdict.DONE
            await idle(a)
            assert texts(slack) == [f"Version {number}."]


async def test_several_presses_write_one_new_version(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        presses = [pressing(a).start("turn0", 2, "U1") for _ in range(4)]
        verdicts = await asyncio.gather(*presses)
        assert sorted(verdicts, key=str) == sorted(
            [Verdict.DONE, *[Verdict.ALREADY_DONE] * 3], key=str
        )
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.ALREADY_DONE
        await idle(a)
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.ALREADY_DONE
        assert len(model.requests) == 1


@pytest.mark.parametrize("number", [1, 3, 99999])
async def test_press_with_a_number_that_does_not_follow_does_nothing(
    tmp_path: Path, number: int
) -> None:
    async with answered(tmp_path, FakeSlack(), Model()) as a:
        assert await pressing(a).start("turn0", number, "U1") is Verdict.ALREADY_DONE


async def test_regenerate_is_for_the_asker_only(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        assert await pressing(a).start("turn0", 2, "U2") is Verdict.NOT_ASKER
        assert await pressing(a).start("unknown", 2, "U1") is Verdict.UNKNOWN_QUESTION
        assert model.requests == []


async def test_regenerate_of_a_deleted_question_asks_nothing(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        slack.people.clear()
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.QUESTION_DELETED
        assert texts(slack) == ["One two three."]


async def test_regenerate_waits_for_no_other_answer_of_the_thread(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        model.ends = False
        await a.supervisor.submit(replace(question(), id="other", keys=("other",), ts="901.1"))
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.THREAD_BUSY
        assert await a.supervisor.stop("other", "U1") is Verdict.DONE
        await idle(a)
        model.ends = True
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.DONE


async def test_question_waits_while_an_answer_of_its_thread_is_written_again(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        await pressing(a).start("turn0", 2, "U1")
        later = replace(question(), id="other", keys=("other",), ts="999999.1", text="And?")
        assert await a.supervisor.submit(later)
        record = await a.store.get_turn("other")
        assert record
        assert record.waiting
        await idle(a)
        assert [one.turn for one in slack.thread("900.1")] == ["turn0-2", "other"]


async def test_stop_shows_the_earlier_version_again(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        model.ends = False
        await pressing(a).start("turn0", 2, "U1")
        await until(lambda: "Four" in texts(slack)[0])
        [message] = slack.thread("900.1")
        assert message.buttons == [STOP_ACTION]
        assert await a.supervisor.stop("turn0-2", "U1") is Verdict.DONE
        await idle(a)
        assert (message.markdown, message.buttons) == ("One two three.", [MENU_ACTION])
        assert english(Phrase.NEW_VERSION_STOPPED) in message.state
        record = await a.store.get_turn("turn0-2")
        assert record
        assert (record.shows, record.draft.text) == ("turn0", "One two three.")
        assert a.count("bot_answers_total", outcome="stopped") == 1


async def test_failed_version_shows_the_earlier_one_and_may_be_tried_again(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answered(tmp_path, slack, model) as a:
        for number in (2, 3):
            model.fails = True
            turn = "turn0" if number == 2 else f"turn0-{number - 1}"
            assert await pressing(a).start(turn, number, "U1") is Verdict.DONE
            await idle(a)
            [message] = slack.thread("900.1")
            assert (message.markdown, message.buttons) == ("One two three.", [MENU_ACTION])
            assert message.state.count(english(Phrase.NEW_VERSION_FAILED)) == 1
        model.fails = False
        assert await pressing(a).start("turn0-3", 4, "U1") is Verdict.DONE
        await idle(a)
        [message] = slack.thread("900.1")
        assert (message.markdown, message.state) == ("Four five six seven.", "")


async def test_shorter_version_deletes_the_messages_that_are_left_at_its_end(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(LONG, pause=0.02)
    async with answered(tmp_path, slack, model) as a:
        first, *rest = [message.ts for message in slack.thread("900.1")]
        assert len(rest) >= 2
        model.pause = 5.0
        await pressing(a).start("turn0", 2, "U1")
        await until(lambda: "Four" in texts(slack)[0])
        assert [one.ts for one in slack.thread("900.1")] == [first, *rest]
        assert slack.thread("900.1")[1].markdown.startswith("Line")
        await idle(a)
        assert [(one.ts, one.markdown) for one in slack.thread("900.1")] == [
            (first, "Four five six seven.")
        ]


async def test_longer_version_posts_more_messages(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        model.words, model.pause = LONG, 0.02
        await pressing(a).start("turn0", 2, "U1")
        await idle(a)
        shown = slack.thread("900.1")
        assert len(shown) >= 3
        assert {message.turn for message in shown} == {"turn0-2"}
        assert "\n\n".join(one.markdown for one in shown).count("Line") == len(LONG)


async def test_new_version_is_written_into_the_messages_that_are_left(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(LONG, pause=0.02)
    async with answered(tmp_path, slack, model) as a:
        first, second, *_ = [message.ts for message in slack.thread("900.1")]
        del slack.messages[first]
        await pressing(a).start("turn0", 2, "U1")
        await idle(a)
        assert [(one.ts, one.markdown) for one in slack.thread("900.1")] == [
            (second, "Four five six seven.")
        ]


@pytest.mark.parametrize("written", [0, 2])
async def test_another_process_goes_on_in_the_same_message(tmp_path: Path, written: int) -> None:
    slack, model = FakeSlack(), Model()
    async with (
        open_runner(slack, model, 10) as one,
        open_runner(slack, model, 10) as other,
        ReplicaSetup(tmp_path) as setup,
    ):
        a = await setup.replica("a", one, running=False)
        await a.supervisor.heartbeat()
        journalling = asyncio.create_task(a.running.journal.run())
        await a.supervisor.submit(question())
        await idle(a)
        model.words, model.ends = NEW[:written], False
        await pressing(a).start("turn0", 2, "U1")
        await asyncio.sleep(8)
        assert texts(slack)[0].startswith("Four" if written else "One two three.")
        await a.die()
        journalling.cancel()
        model.words, model.ends = NEW, True
        b = await setup.replica("b", other, shared=True)
        await until(lambda: b.count("bot_answers_total", outcome="done"))
        [message] = slack.thread("900.1")
        assert (message.turn, message.markdown) == ("turn0-2", "Four five six seven.")
        assert "" not in message.history[1:]  # after its placeholder


@pytest.mark.parametrize("store_text", [True, False])
async def test_earlier_version_is_shown_again_where_no_texts_are_stored(
    tmp_path: Path, store_text: bool
) -> None:
    slack, model = FakeSlack(), FailingModel()
    async with answered(tmp_path, slack, model, store_text=store_text) as a:
        model.fails = True
        assert await pressing(a).start("turn0", 2, "U1") is Verdict.DONE
        await idle(a)
        assert texts(slack) == ["One two three."]


@pytest.mark.parametrize("surface", ["channel", "dm"])
async def test_finished_answer_offers_the_next_number(tmp_path: Path, surface: Any) -> None:
    slack, model = FakeSlack(), Model()
    place = Place("T1", "C0", surface, "900.1")
    async with answering(tmp_path, slack, model) as a:
        await a.supervisor.submit(replace(question(), place=place))
        await idle(a)
        assert option_values(slack.thread("900.1")[0])[0] == "regenerate:2"
        await pressing(a).start("turn0", 2, "U1")
        await idle(a)
        assert option_values(slack.thread("900.1")[0])[0] == "regenerate:3"


def option_values(message: Stored) -> list[str]:
    elements = [e for b in message.blocks if b["type"] == "actions" for e in b["elements"]]
    return [option["value"] for e in elements for option in e.get("options", ())]


async def test_turn_that_was_refused_leaves_no_claim(tmp_path: Path) -> None:
    async with answered(tmp_path, FakeSlack(), Model()) as a:
        record = await a.store.get_turn("turn0")
        assert record
        again = replace(record.question, id="turn0-2", keys=("rewrite:turn0:2",))
        await a.store.claim(replace(question(), id="live", keys=("live",)), "t")
        claim = (again, "t", record.draft, record.messages)
        assert await a.store.claim_rewrite(*claim) is Claim.BUSY
        assert await a.store.get_claiming_turn_id("rewrite:turn0:2") is None
        assert await a.store.claim_rewrite(again, None, *claim[2:]) is Claim.CLAIMED
        assert await a.store.claim_rewrite(again, None, *claim[2:]) is Claim.DUPLICATE
        stored = await a.store.get_turn("turn0-2")
        assert stored
        assert (stored.earlier, stored.messages) == (record.draft, record.messages)
        assert stored.draft.phase is Phase.ASKING


async def versions(replica: Replica, model: Model, count: int) -> str:
    """Write an answer again until it has so many versions; gives its newest turn."""
    turn = "turn0"
    for number in range(2, count + 1):
        model.words = (f"Version {number}.",)
        assert await pressing(replica).start(turn, number, "U1") is Verdict.DONE
        await idle(replica)
        turn = f"turn0-{number}"
    return turn


async def test_versions_are_shown_again_in_the_same_message(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(("Version 1.",))
    async with answered(tmp_path, slack, model) as a:
        turn = await versions(a, model, 3)
        edits = slack.count("chat.update")
        offered = []
        for number, step in enumerate((-1, -1, 1, 1), 4):
            [message] = slack.thread("900.1")
            offered.append([one.split(":")[0] for one in option_values(message)])
            assert await pressing(a).show_version(turn, number, "U1", step) is Verdict.DONE
            await idle(a)
            turn = f"turn0-{number}"
            assert [one.turn for one in slack.thread("900.1")] == [turn]
            edits += 1  # one for each
            assert slack.count("chat.update") == edits
        [message] = slack.thread("900.1")
        shown = [text for text in message.history if text][-5:]
        assert shown == ["Version 3.", "Version 2.", "Version 1.", "Version 2.", "Version 3."]
        assert offered == [
            ["regenerate", "earlier"],
            ["regenerate", "earlier", "later"],
            ["regenerate", "later"],
            ["regenerate", "earlier", "later"],
        ]
        assert len(model.requests) == 2


async def test_version_of_several_messages_is_shown_again_whole(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(LONG, pause=0.02)
    async with answered(tmp_path, slack, model) as a:
        before = texts(slack)
        turn = await versions(a, model, 2)
        assert texts(slack) == ["Version 2."]
        assert await pressing(a).show_version(turn, 3, "U1", -1) is Verdict.DONE
        await idle(a)
        assert texts(slack) == before
        assert await pressing(a).show_version("turn0-3", 4, "U1", 1) is Verdict.DONE
        await idle(a)
        assert texts(slack) == ["Version 2."]


async def test_several_presses_show_one_version(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(("Version 1.",))
    async with answered(tmp_path, slack, model) as a:
        turn = await versions(a, model, 3)
        await asyncio.gather(*(pressing(a).show_version(turn, 4, "U1", -1) for _ in range(3)))
        await pressing(a).show_version(turn, 4, "U1", -1)
        await idle(a)
        assert texts(slack) == ["Version 2."]


async def test_version_that_does_not_exist_is_not_shown(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(("Version 1.",))
    async with answered(tmp_path, slack, model) as a:
        assert await pressing(a).show_version("turn0", 2, "U1", -1) is Verdict.ALREADY_DONE
        turn = await versions(a, model, 2)
        assert await pressing(a).show_version(turn, 3, "U1", 1) is Verdict.ALREADY_DONE
        assert await pressing(a).show_version(turn, 3, "U2", -1) is Verdict.NOT_ASKER
        assert texts(slack) == ["Version 2."]


async def test_answer_is_written_again_from_an_earlier_version(tmp_path: Path) -> None:
    slack, model = FakeSlack(), FailingModel(("Version 1.",))
    async with answered(tmp_path, slack, model) as a:
        turn = await versions(a, model, 2)
        await pressing(a).show_version(turn, 3, "U1", -1)
        await idle(a)
        model.fails = True
        await pressing(a).start("turn0-3", 4, "U1")
        await idle(a)
        [message] = slack.thread("900.1")
        assert message.markdown == "Version 1."
        assert [one.split(":")[0] for one in option_values(message)] == ["regenerate", "later"]
        record = await a.store.get_turn("turn0-4")
        assert record
        assert record.shows == "turn0"
        model.fails, model.words = False, ("Version 3.",)
        await pressing(a).start("turn0-4", 5, "U1")
        await idle(a)
        await pressing(a).show_version("turn0-5", 6, "U1", -1)
        await idle(a)
        assert texts(slack) == ["Version 2."]


async def test_versions_whose_texts_are_not_stored_are_not_offered(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(("Version 1.",))
    async with answered(tmp_path, slack, model, store_text=False) as a:
        await versions(a, model, 3)
        assert option_values(slack.thread("900.1")[0]) == ["regenerate:4"]


async def test_version_is_shown_by_another_process_after_a_crash(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(("Version 1.",))
    async with (
        open_runner(slack, model, 10) as one,
        open_runner(slack, model, 10) as other,
        ReplicaSetup(tmp_path) as setup,
    ):
        a = await setup.replica("a", one, running=False)
        await a.supervisor.heartbeat()
        journalling = asyncio.create_task(a.running.journal.run())
        await a.supervisor.submit(question())
        await idle(a)
        turn = await versions(a, model, 2)
        slack.fault = lambda call: 503 if call.method == "chat.update" else None
        shows = asyncio.create_task(pressing(a).show_version(turn, 3, "U1", -1))
        assert await shows is Verdict.DONE
        await asyncio.sleep(1)
        await a.die()
        journalling.cancel()
        slack.fault = lambda call: None
        b = await setup.replica("b", other, shared=True)
        await until(lambda: b.count("bot_answers_total", outcome="done"))
        assert texts(slack) == ["Version 1."]


async def test_question_that_is_deleted_meanwhile_takes_its_answer_with_it(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(LONG, pause=0.02)
    async with answered(tmp_path, slack, model) as a:
        model.ends = False
        await pressing(a).start("turn0", 2, "U1")
        await until(lambda: "Four" in texts(slack)[0])
        a.supervisor.remove("turn0-2", "900.1")
        await idle(a)
        assert slack.thread("900.1") == []


async def test_message_that_is_deleted_meanwhile_ends_the_turn(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        await pressing(a).start("turn0", 2, "U1")
        await until(lambda: "Four" in texts(slack)[0])
        slack.messages.clear()
        await idle(a)
        assert slack.thread("900.1") == []
        first, second = await a.store.get_turns(["turn0", "turn0-2"])
        assert first.draft.text == "One two three."
        assert second.draft.phase.is_final
        assert second.owner is None


async def test_edit_of_the_question_is_what_is_asked_again(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        slack.edit("900.1", "And why not?", "C0")
        await pressing(a).start("turn0", 2, "U1")
        await idle(a)
        assert "And why not?" in prompt_text(model)


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
async def test_version_goes_out_below_where_a_message_can_not_be_edited(
    tmp_path: Path, code: str
) -> None:
    slack, model = FakeSlack(), Model()
    async with answered(tmp_path, slack, model) as a:
        [old] = slack.thread("900.1")
        slack.fault = lambda call: (
            code if call.method == "chat.update" and call.arguments["ts"] == old.ts else None
        )
        await pressing(a).start("turn0", 2, "U1")
        await idle(a)
        assert texts(slack) == ["One two three.", "Four five six seven."]
