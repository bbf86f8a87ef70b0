"""Tool rounds are sent back as they came, and continued after a take-over."""

from __future__ import annotations

from typing import Any

import pytest

from bot.storage.records import ShownMessage
from bot.turn.durability.tool_progress import MAX_PROGRESS_CHARACTERS, ToolProgress, parse_progress
from bot.turn.state.limits import AnswerLimits
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolResult
from bot.upstream.tool_round import ModelOutput
from bot.values import Draft, Phase, Usage
from bot.words import Phrase
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.turn.answer_setup import ORDERS, answer_setup, question
from tests.unit.turn.strict_servers import StrictChat, StrictResponses

ORDER = ("order", '{"word": "tea"}')
SHOUT = ("shout", '{"word": "hey"}')


async def test_tool_round_is_sent_back_as_it_came() -> None:
    responses, chat = StrictResponses(tools=(SHOUT, ORDER)), StrictChat()
    for model, api in ((responses, "responses"), (chat, "chat")):
        slack = FakeSlack()
        async with answer_setup(slack, model, api=api) as setup:
            assert await setup.answer(question()) is Phase.DONE
        assert slack.thread("900.1")[0].markdown.endswith("Done.")
    assert (len(responses.requests), len(chat.requests)) == (3, 2)


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_tool_round_refused_as_it_came_is_sent_as_calls_from_then_on(
    api: str,
) -> None:
    model = (
        StrictResponses(accepts_rounds=False)
        if api == "responses"
        else StrictChat(accepts_rounds=False)
    )
    async with answer_setup(FakeSlack(), model, api=api) as setup:
        for n in range(2):
            assert await setup.answer(question(n)) is Phase.DONE
    assert len(model.requests) == 5


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_token_usage_is_journalled_and_counted(api: str) -> None:
    model = StrictResponses() if api == "responses" else StrictChat()
    async with answer_setup(FakeSlack(), model, api=api) as setup:
        assert await setup.answer(question()) is Phase.DONE
        assert setup.journalled().usage == Usage(60, 20, 40, 14, "m1-real")
        counted = setup.runner.metrics.registry.get_sample_value
        for kind, tokens in {"input": 60, "cached": 40, "output": 20, "reasoning": 14}.items():
            labels = {"kind": kind, "model": "m1-real"}
            assert counted("bot_tokens_total", labels) == tokens


def begun(model: StrictResponses, ran: int, **more: Any) -> ToolProgress:
    """An answer whose first `ran` rounds are known, and of which one more has begun."""
    progress = ToolProgress()
    for number, (name, arguments) in enumerate(model.tools[: ran + 1]):
        call = ToolCall(f"c{number}", name, arguments)
        output = ModelOutput("responses", tuple(model.items(number)))
        progress = progress.with_round(output, (call,), "Before.\n\n")
        if number < ran:
            progress = progress.with_output("an earlier output")
    return progress


async def taken_over(
    slack: FakeSlack,
    model: StrictResponses,
    progress: ToolProgress,
    limits: AnswerLimits = AnswerLimits(),  # noqa: B008  # frozen
    **known: Any,
) -> Phase | None:
    """Bring a turn to its end that another process had begun."""
    text = "Before.\n\nMore"
    ts = await connect(slack).post(
        "C0",
        text=text,
        blocks=[{"type": "markdown", "text": text}],
        thread_ts="900.1",
        metadata={"event_type": "llm_answer", "event_payload": {"turn": "turn0"}},
    )
    usual: dict[str, Any] = {"draft": Draft(Phase.STREAMING, text), "fence": 2, "crash_count": 1}
    usual |= {"messages": (ShownMessage(ts, "C0"),), "tool_rounds": progress.to_json()}
    async with answer_setup(slack, model) as setup:
        setup.runner.limits = limits
        phase = await setup.answer(question(), **usual | known)
    assert len(slack.thread("900.1")) == 1
    return phase


async def test_takeover_continues_after_the_last_tool_round_and_runs_nothing_again() -> None:
    ORDERS.clear()
    slack, model = FakeSlack(), StrictResponses(tools=(ORDER, SHOUT))
    progress = begun(model, 0).with_action_started().with_output("ordered")
    assert await taken_over(slack, model, progress, irreversible=True) is Phase.DONE
    assert ORDERS == []
    outputs = [[i["output"] for i in body["input"] if "output" in i] for body in model.requests]
    assert outputs == [["ordered"], ["ordered", "HEY"]]
    assert slack.thread("900.1")[0].markdown == "Before.\n\nStep 1.\n\nDone."


@pytest.mark.parametrize(
    ("tool", "ordered"),
    [(SHOUT, []), (("order", '{"word": "milk"}'), ["milk"]), (ORDER, [])],
    ids=["harmless", "side effects", "done already"],
)
async def test_takeover_runs_the_tool_calls_that_had_not_started(
    tool: tuple[str, str], ordered: list[str]
) -> None:
    ORDERS.clear()
    slack, model = FakeSlack(), StrictResponses(tools=(ORDER, tool))
    ran = begun(model, 1)
    assert ran.pending
    assert await taken_over(slack, model, ran, irreversible=True) is Phase.DONE
    assert len(model.requests) == 1
    assert ordered == ORDERS


async def test_takeover_does_not_rerun_a_tool_call_that_may_have_been_running() -> None:
    ORDERS.clear()
    slack, model = FakeSlack(), StrictResponses(tools=(ORDER,))
    progress = begun(model, 0).with_action_started()
    assert await taken_over(slack, model, progress, irreversible=True) is Phase.INTERRUPTED
    assert (ORDERS, model.requests) == ([], [])
    assert english(Phrase.NOT_REPEATED) in slack.thread("900.1")[0].state


async def test_tool_rounds_before_a_takeover_count_for_the_limit() -> None:
    slack, model = FakeSlack(), StrictResponses(tools=(SHOUT, SHOUT))
    assert await taken_over(slack, model, begun(model, 1)) is Phase.DONE
    assert [bool(body.get("tools")) for body in model.requests] == [False]


@pytest.mark.parametrize(
    ("limits", "ended"),
    [
        (AnswerLimits(tool_characters=len("an earlier output" + "HEY")), Phase.DONE),
        (AnswerLimits(tool_characters=len("an earlier output" + "HE")), Phase.CUT_OFF),
        (AnswerLimits(tool_characters=len("an earlier outpu")), Phase.CUT_OFF),
    ],
)
async def test_tool_output_before_a_takeover_counts_for_the_limit(
    limits: AnswerLimits, ended: Phase
) -> None:
    slack, model = FakeSlack(), StrictResponses(tools=(SHOUT, SHOUT))
    assert await taken_over(slack, model, begun(model, 1), limits) is ended
    assert slack.thread("900.1")[0].markdown.startswith("Before.")


async def test_tool_calls_before_a_takeover_count_for_the_limit() -> None:
    slack, model = FakeSlack(), StrictResponses(tools=(SHOUT, SHOUT))
    limits = AnswerLimits(tool_calls=2)
    assert await taken_over(slack, model, begun(model, 1), limits) is Phase.DONE
    assert [bool(body.get("tools")) for body in model.requests] == [False]


async def test_tool_rounds_too_long_for_the_journal_begin_the_answer_anew() -> None:
    huge = begun(StrictResponses(tools=(("shout", "x" * MAX_PROGRESS_CHARACTERS),)), 0)
    assert huge.to_json() == ""
    slack, model = FakeSlack(), StrictResponses()
    assert await taken_over(slack, model, huge) is Phase.DONE
    assert len(model.requests) == 2
    assert await taken_over(FakeSlack(), model, huge, irreversible=True) is Phase.INTERRUPTED


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"rounds": 7}', "{}", "[" * 9999])
def test_tool_progress_that_can_not_be_read_is_empty(text: str) -> None:
    assert parse_progress(text) == ToolProgress()
    assert not parse_progress(text).covers_all_effects


def test_tool_progress_is_read_back_as_it_was_written() -> None:
    output = ModelOutput("chat", ({"role": "assistant", "odd": ["\0\ud800é", 1.5, None]},))
    calls = (ToolCall("a", "now", "{}"), ToolCall("b", "now", "{}"))
    progress = ToolProgress().with_round(output, calls, "Text")
    for step in (
        progress,
        progress.with_action_started(),
        progress.with_action_started().with_output("noon\0"),
    ):
        assert step.to_json().isascii()
        assert parse_progress(step.to_json()) == step
    assert step.pending == calls[1:]
    assert step.rounds[0].exchanges == (ToolResult(calls[0], "noon\0"),)
    assert not step.acting
