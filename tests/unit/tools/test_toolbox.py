"""Whatever happens in a tool, the model gets a short text and the answer goes on."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.errors import ToolError
from bot.tools.tool import tool
from bot.tools.toolbox import MAX_STATUS_LABEL_CHARACTERS, Toolbox
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolSpec
from tests.support import virtual_time as virtual
from tests.support.words import EN
from tests.unit.tools.tool_calls import CONTEXT, call


@tool(status_label=lambda word, times: f"Saying {word}")
async def say(word: str, times: int = 1) -> str:
    """Say a word.

    word: the word
    times: how often
    """
    return word * times


@tool(has_side_effects=True)
async def order(dish: str) -> str:
    """Order something to eat.

    dish: what
    """
    return f"ordered {dish}"


@tool()
async def wait(seconds: float) -> str:
    """Wait.

    seconds: how long
    """
    await asyncio.sleep(seconds)
    return "waited"


@tool()
async def fail(how: str) -> str:
    """Fail.

    how: in which way
    """
    if how == "timeout":
        raise TimeoutError
    raise ToolError("It is raining.") if how == "tool" else KeyError(how)


BOX = Toolbox([say, order, wait, fail])


def test_toolbox_specs_describe_the_tools() -> None:
    assert [spec.name for spec in BOX.specs] == ["say", "order", "wait", "fail"]
    assert BOX.specs[0] == ToolSpec("say", "Say a word.", say.parameters)


def test_toolbox_refuses_two_tools_of_one_name() -> None:
    with pytest.raises(ValueError, match="same name"):
        Toolbox([say, say])


async def test_toolbox_call_returns_its_output() -> None:
    assert await BOX.run(call("say", word="ha", times=2), CONTEXT) == "haha"


async def test_toolbox_names_its_tools_to_a_call_of_an_unknown_one() -> None:
    said = await BOX.run(call("sing"), CONTEXT)

    assert said == "Error: There is no tool sing; there are say, order, wait, fail."
    assert await Toolbox([]).run(call("sing"), CONTEXT) == (
        "Error: There is no tool sing; there are none."
    )


async def test_toolbox_reports_wrong_arguments() -> None:
    assert await BOX.run(call("say", times=2), CONTEXT) == (
        "Error: The arguments of say are wrong: Object missing required field `word`."
    )
    assert await BOX.run(ToolCall("c", "say", "{"), CONTEXT) == (
        "Error: The arguments of say are not valid JSON."
    )


async def test_toolbox_returns_the_sentence_of_a_tool_error() -> None:
    assert await BOX.run(call("fail", how="tool"), CONTEXT) == "Error: It is raining."


async def test_toolbox_logs_a_defect_without_peoples_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        said = await BOX.run(call("fail", how="what a person wrote"), CONTEXT)

    assert said == "Error: fail failed (KeyError)."
    assert "tool fail raised an unexpected error: KeyError" in caplog.text
    assert "test_toolbox.py" in caplog.text
    assert "what a person wrote" not in caplog.text


def test_toolbox_stops_a_slow_tool() -> None:
    async def scenario() -> tuple[str, float]:
        return await BOX.run(call("wait", seconds=1000), CONTEXT), virtual.now()

    said, at = virtual.run(scenario())

    assert said == "Error: wait took longer than 20 seconds and was stopped."
    assert at == pytest.approx(20, abs=0.1)


def test_toolbox_waits_for_a_tool_within_its_time() -> None:
    assert virtual.run(BOX.run(call("wait", seconds=19), CONTEXT)) == "waited"


async def test_toolbox_distinguishes_a_tools_own_timeout() -> None:
    said = await BOX.run(call("fail", how="timeout"), CONTEXT)

    assert said == "Error: fail failed (TimeoutError)."


async def test_toolbox_passes_cancellation_on() -> None:
    task = asyncio.create_task(BOX.run(call("wait", seconds=1000), CONTEXT))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_toolbox_cuts_a_long_output_and_says_so() -> None:
    box = Toolbox([say], max_output_characters=100)
    said = await box.run(call("say", word="x", times=12_345), CONTEXT)

    assert len(said) == 100
    assert said.startswith("xxx")
    assert said.endswith("[Cut off: 12,345 characters are more than a tool may return.]")
    assert await box.run(call("say", word="x", times=100), CONTEXT) == "x" * 100


async def test_toolbox_cuts_a_long_error() -> None:
    said = await Toolbox([say], max_output_characters=100).run(
        call("say", word="", **{"y" * 500: 1}), CONTEXT
    )

    assert len(said) == 100
    assert said.startswith("Error: ")


async def test_toolbox_output_is_never_empty_and_always_unicode() -> None:
    @tool()
    async def half() -> str:
        """Return half a character."""
        return "a\ud83d"

    assert await BOX.run(call("say", word=" "), CONTEXT) == "(no output)"
    assert await Toolbox([half]).run(call("half"), CONTEXT) == "a?"


def test_toolbox_repeats_only_tools_without_side_effects() -> None:
    assert BOX.is_repeatable("say")
    assert not BOX.is_repeatable("order")
    assert BOX.is_repeatable("sing")


def test_status_label_shows_arguments_only_if_the_tool_does() -> None:
    assert BOX.status_label(call("order", dish="sk-secret"), EN) == "Calling order(…)…"
    assert BOX.status_label(ToolCall("c", "order", ""), EN) == "Calling order()…"
    assert BOX.status_label(ToolCall("c", "order", "{}"), EN) == "Calling order()…"
    assert BOX.status_label(call("sing", song="sk-secret"), EN) == "Calling sing(…)…"
    assert BOX.status_label(call("say", word="hello"), EN) == "Saying hello"


def test_status_label_is_one_short_line() -> None:
    said = BOX.status_label(call("say", word="a\n\nb " + "x" * 500), EN)

    assert said.startswith("Saying a b xxx")
    assert len(said) == MAX_STATUS_LABEL_CHARACTERS
    assert said.endswith("…")
    assert len(BOX.status_label(call("z" * 500), EN)) <= MAX_STATUS_LABEL_CHARACTERS


def test_status_label_exists_for_wrong_arguments() -> None:
    assert BOX.status_label(ToolCall("c", "say", "{"), EN) == "Calling say(…)…"
    assert BOX.status_label(call("say", times="often"), EN) == "Calling say(…)…"
