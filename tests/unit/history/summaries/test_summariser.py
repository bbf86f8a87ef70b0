"""Summaries are made after answers, used, gone on with, and dropped when a message changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.history.fitting.gaps import MAX_AGE_SECONDS
from bot.history.fitting.remarks import SUMMARY_HEADER
from bot.history.fitting.token_limit import CLIPPED_ANSWER_MARK
from bot.history.summaries.summariser import MAX_OUTPUT_TOKENS, REQUEST_TIMEOUT_SECONDS
from bot.values import Message
from bot.words import Phrase
from tests.support.words import english
from tests.unit.history.history_setup import (
    DM,
    ROOT,
    channel_question,
    dm_question,
    texts,
    ts_at,
)
from tests.unit.history.summaries.summary_setup import SummarySetup, summary_setup

SUMMARISED = english(Phrase.SUMMARISED)


@pytest_asyncio.fixture
async def setup(tmp_path: Path) -> AsyncIterator[SummarySetup]:
    async with summary_setup(tmp_path) as setup:
        yield setup


async def test_thread_that_fits_is_not_summarised(setup: SummarySetup) -> None:
    setup.talk(0, 5)
    process = setup.process(limit=8000)
    assert not (await process.ask(channel_question("why?", ts_at(100)))).lacks_summary
    assert setup.model.requests == []


async def test_what_fell_out_is_told_in_short_at_the_next_question(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process()
    first = await process.ask(channel_question("why?", ts_at(100)))
    assert first.lacks_summary
    assert process.outcomes() == {"made": 1}
    assert 'From person U2, named "Bob":\n> message 1: a line' in setup.model.asked[0]

    second = await process.ask(channel_question("and?", ts_at(101)))
    assert second.remark == SUMMARISED
    assert second.messages[0].text.startswith(f"{SUMMARY_HEADER}\n> summary of ")
    assert second.messages[1].text == "The thread begins."
    assert texts(second)[-1] == "and?"
    assert not any("left out here]" in one for one in texts(second)[1:])
    assert len(setup.model.requests) == process.outcomes()["made"] * len(setup.model.requests)


async def test_summary_covers_all_that_the_prompt_does_not_have(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    told = texts(await process.ask(channel_question("and?", ts_at(101))))
    summarised = "".join(setup.model.asked)
    for n in range(1, 61):
        assert f"message {n}:" in summarised or any(f"message {n}:" in one for one in told)


async def test_next_summary_goes_on_from_the_last_after_half_of_the_messages_are_new(
    setup: SummarySetup,
) -> None:
    setup.talk(0, 40)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    made = len(setup.model.requests)
    setup.talk(101, 103)
    assert not (await process.ask(channel_question("and?", ts_at(110)))).lacks_summary
    setup.talk(111, 130)
    assert (await process.ask(channel_question("now?", ts_at(140)))).lacks_summary
    later = setup.model.asked[made:]
    assert "The earlier summary" in later[0]
    assert "message 1:" not in "".join(later)
    assert (await setup.stored()).message_count > 40


async def test_long_answers_of_ours_are_clipped_in_the_request(setup: SummarySetup) -> None:
    setup.talk(0, 1)
    setup.slack.answer(ts_at(2), "t1", "x" * 9000, under=ROOT)
    setup.talk(3, 40)
    await setup.process().ask(channel_question("why?", ts_at(100)))
    [asked, *_] = [asked for asked in setup.model.asked if "From you:" in asked]
    assert CLIPPED_ANSWER_MARK in asked
    assert "x" * 1600 not in asked


async def test_requests_are_bounded_and_carry_no_tools(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process(model="small")
    await process.ask(channel_question("why?", ts_at(100)))
    for request in setup.model.requests:
        assert request["model"] == "small"
        assert request["max_output_tokens"] == MAX_OUTPUT_TOKENS
        assert "tools" not in request
        assert "background" not in request
    counted = process.metrics.render().decode()
    spent = 70.0 * len(setup.model.requests)
    assert f'bot_tokens_total{{kind="input",model="small"}} {spent}' in counted


@pytest.mark.parametrize("change", ["edit", "delete"])
async def test_summary_of_a_changed_message_is_not_told_and_made_anew(
    setup: SummarySetup, change: str
) -> None:
    setup.talk(0, 60)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    made = len(setup.model.requests)
    if change == "edit":
        setup.slack.edit(ts_at(1), "other words")
    else:
        setup.slack.delete(ts_at(1))
    second = await process.ask(channel_question("and?", ts_at(101)))
    assert SUMMARY_HEADER not in str(second.messages)
    assert "left out" in second.remark
    again = "".join(setup.model.asked[made:])
    assert "message 1:" not in again
    assert "message 2:" in again
    assert ("other words" in again) is (change == "edit")
    assert (await process.ask(channel_question("so?", ts_at(102)))).remark == SUMMARISED


async def test_link_preview_changes_nothing(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    setup.slack.channels["C1"][ts_at(1)]["reactions"] = [{"name": "eyes", "count": 3}]
    setup.slack.channels["C1"][ROOT]["reply_count"] = 99
    assert (await process.ask(channel_question("and?", ts_at(101)))).remark == SUMMARISED


async def test_change_while_a_summary_is_made_drops_it(setup: SummarySetup) -> None:
    setup.talk(0, 28)

    async def change() -> None:
        setup.model.before = None
        setup.slack.delete(ts_at(1))
        await setup.summaries().message_changed("C1", ts_at(1), ROOT)

    setup.model.before = change
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    assert process.outcomes() == {"outdated": 1}
    assert (await setup.stored()).text == ""
    await process.ask(channel_question("and?", ts_at(101)))
    assert "message 1:" not in setup.model.asked[-1]
    assert (await setup.stored()).text


async def test_two_replicas_make_one_summary(setup: SummarySetup) -> None:
    setup.talk(0, 28)
    one, other = setup.process(), setup.process()
    both = asyncio.Barrier(2)
    setup.model.before = both.wait
    await asyncio.gather(
        one.ask(channel_question("why?", ts_at(100))),
        other.ask(channel_question("who?", ts_at(100.5))),
    )
    assert [one.outcomes(), other.outcomes()] in [
        [{"made": 1}, {"outdated": 1}],
        [{"outdated": 1}, {"made": 1}],
    ]


async def test_process_makes_one_summary_of_a_thread_at_a_time(setup: SummarySetup) -> None:
    setup.talk(0, 28)
    process = setup.process()
    first = await process.history.read_conversation(channel_question("why?", ts_at(100)))
    process.history.summarise(first)
    process.history.summarise(first)
    await process.summaries_end()
    assert process.outcomes() == {"made": 1}


async def test_other_process_uses_the_summary(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    await setup.process().ask(channel_question("why?", ts_at(100)))
    other = setup.process()
    assert (await other.ask(channel_question("and?", ts_at(101)))).remark == SUMMARISED


async def test_summary_begins_anew_after_a_day(setup: SummarySetup) -> None:
    setup.talk(0, 28)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    made = len(setup.model.requests)
    setup.clock[0] += MAX_AGE_SECONDS + 1
    assert (await process.ask(channel_question("and?", ts_at(101)))).remark == SUMMARISED
    assert "message 1:" in "".join(setup.model.asked[made:])
    assert "The earlier summary" not in setup.model.asked[made]


@pytest.mark.parametrize(
    ("status", "reply", "outcome"),
    [(500, "", "failed"), (200, "  ", "empty"), (400, "", "failed")],
)
async def test_summary_that_fails_is_tried_again_after_the_next_answer(
    setup: SummarySetup, status: int, reply: str, outcome: str
) -> None:
    setup.talk(0, 28)
    process = setup.process()
    usual = setup.model.reply
    setup.model.status, setup.model.reply = status, lambda _: reply
    first = await process.ask(channel_question("why?", ts_at(100)))
    assert "left out" in first.remark
    assert process.outcomes() == {outcome: 1}
    setup.model.status, setup.model.reply = 200, usual
    await process.ask(channel_question("and?", ts_at(101)))
    assert process.outcomes() == {outcome: 1, "made": 1}


async def test_slow_model_is_given_up(setup: SummarySetup) -> None:
    setup.talk(0, 28)

    async def slow() -> None:
        await asyncio.sleep(REQUEST_TIMEOUT_SECONDS + 1)

    setup.model.before = slow
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    assert process.outcomes() == {"failed": 1}


async def test_rate_limit_of_slack_postpones_a_summary(setup: SummarySetup) -> None:
    setup.talk(0, 28)
    process = setup.process()
    conversation = await process.history.read_conversation(channel_question("why?", ts_at(100)))
    setup.slack.fault = lambda call: "429:30"
    process.history.summarise(conversation)
    await process.summaries_end()
    assert process.outcomes() == {"postponed": 1}


async def test_shutdown_cancels_what_is_being_made(setup: SummarySetup) -> None:
    setup.talk(0, 28)
    asked = asyncio.Event()

    async def forever() -> None:
        asked.set()
        await asyncio.Event().wait()

    setup.model.before = forever
    process = setup.process()
    conversation = await process.history.read_conversation(channel_question("why?", ts_at(100)))
    process.history.summarise(conversation)
    await asked.wait()
    await process.history.aclose()
    assert process.outcomes() == {"cancelled": 1}
    assert (await setup.stored()).text == ""


async def test_nothing_is_summarised_without_stored_text(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process(store_text=False)
    conversation = await process.ask(channel_question("why?", ts_at(100)))
    assert not conversation.lacks_summary
    assert "left out" in conversation.remark
    assert setup.model.requests == []


async def test_summary_is_not_told_when_its_messages_cannot_be_read(setup: SummarySetup) -> None:
    setup.talk(0, 60)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    verifying = ts_at(-0.000001)
    setup.slack.fault = lambda call: (
        "internal_error" if str(call.given.get("oldest")) == verifying else ""
    )
    second = await process.history.read_conversation(channel_question("and?", ts_at(101)))
    assert SUMMARY_HEADER not in str(second.messages)
    assert (await setup.stored()).text


async def test_thread_below_a_public_answer_to_a_command_is_summarised(
    setup: SummarySetup,
) -> None:
    setup.slack.answer(ROOT, "t1", "The answer to /ask.")
    setup.talk(1, 60)
    process = setup.process()
    await process.ask(channel_question("why?", ts_at(100)))
    second = await process.ask(channel_question("and?", ts_at(101)))
    assert second.remark == SUMMARISED
    assert second.messages[1] == Message("assistant", "The answer to /ask.")


def talk_in_dm(setup: SummarySetup, first: int, last: int, words: str = "words " * 40) -> None:
    for n in range(first, last + 1):
        setup.slack.say(ts_at(n), "U1", f"message {n}: {words}", channel=DM)


async def test_direct_message_is_gone_on_with_by_its_summary(setup: SummarySetup) -> None:
    talk_in_dm(setup, 1, 20)
    process = setup.process()
    await process.ask(dm_question("why?", ts_at(100)))
    second = await process.ask(dm_question("and?", ts_at(101)))
    assert second.remark == f"{english(Phrase.EARLIER_USED)} · {SUMMARISED}"
    assert SUMMARY_HEADER in second.messages[0].text
    assert "message 1:" in setup.model.asked[0]


async def test_direct_message_of_many_messages_is_summarised_before_they_are_out_of_reach(
    setup: SummarySetup,
) -> None:
    process = setup.process(limit=100_000)
    for n in range(1, 150):
        setup.slack.say(ts_at(n), "U1", f"message {n}:", channel=DM)
        if n % 10 == 0:
            conversation = await process.ask(dm_question(f"question {n}", ts_at(n + 0.5)))
            told = "".join([*texts(conversation), *setup.model.asked])
            assert all(f"message {m}:" in told for m in range(1, n + 1))
    assert SUMMARISED in conversation.remark


async def test_new_conversation_does_not_know_the_summary_of_the_last(
    setup: SummarySetup,
) -> None:
    talk_in_dm(setup, 1, 20)
    process = setup.process()
    await process.ask(dm_question("why?", ts_at(100)))
    setup.slack.say(ts_at(110), "U1", "new conversation", channel=DM)
    talk_in_dm(setup, 111, 130)
    second = await process.ask(dm_question("and?", ts_at(140)))
    assert SUMMARY_HEADER not in str(second.messages)
    assert "message 20:" not in setup.model.asked[-1]
    third = await process.ask(dm_question("so?", ts_at(141)))
    assert SUMMARY_HEADER in third.messages[0].text
    assert (await setup.stored("", DM)).covered_from > ts_at(110)


async def test_summary_of_a_direct_message_is_not_older_than_its_hours(
    setup: SummarySetup,
) -> None:
    talk_in_dm(setup, 1, 20)
    process = setup.process()
    await process.ask(dm_question("why?", ts_at(100)))
    later = 12 * 3600 + 50
    talk_in_dm(setup, later - 5, later - 1, "short")
    second = await process.ask(dm_question("and?", ts_at(later)))
    assert SUMMARY_HEADER not in str(second.messages)
