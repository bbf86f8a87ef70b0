"""A conversation that is too long for the model, in virtual time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from bot.errors import PromptTooLong
from bot.values import Phase
from bot.words import Phrase
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import answer_setup, question
from tests.unit.turn.strict_servers import StrictResponses, refused, streamed

SAID = "This model's maximum context length is 9 tokens."
FAILED: dict[str, Any] = {"status": "failed", "error": {"code": "context_length_exceeded"}}
TEXT: dict[str, Any] = {"type": "response.output_text.delta", "delta": "Half", "output_index": 0}


def by_status() -> httpx.Response:
    return refused(400, "too long", code="context_length_exceeded", param="input")


def by_words() -> httpx.Response:
    return refused(500, SAID)


def by_size() -> httpx.Response:
    return httpx.Response(413, text="Payload Too Large")


def by_event() -> httpx.Response:
    return streamed({"type": "response.failed", "response": FAILED})


def after_text() -> httpx.Response:
    return streamed(TEXT, {"type": "response.failed", "response": FAILED})


@dataclass
class SmallContextModel:
    """A model that takes `most` messages, and says so otherwise."""

    max_messages: int
    refusal: Any = by_status
    rounds: StrictResponses = field(default_factory=lambda: StrictResponses(tools=()))
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            told = [i["content"] for i in json.loads(request.content)["input"] if "content" in i]
            self.asked.append([str(text) for text in told])
            if len(told) > self.max_messages:
                answer: httpx.Response = self.refusal()
                return answer
        return self.rounds(request)


class Thread(FakeSlack):
    """A thread that people wrote `earlier` messages in."""

    def __init__(self, earlier: int) -> None:
        super().__init__()
        self.earlier = earlier

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        said = [
            {"ts": f"900.{n + 1:06}", "user": "U2", "text": f"message {n}"}
            for n in range(self.earlier)
        ]
        return {"messages": said}


async def answered(model: Any, earlier: int) -> tuple[Phase | None, Any]:
    """Answer a question below `earlier` messages; gives how that ended and what stands."""
    slack = Thread(earlier)
    asked = replace(question(), ts="950.000001") if earlier else question()
    async with answer_setup(slack, model) as setup:
        phase = await setup.answer(asked)
    return phase, slack.thread("900.1")[-1]


@pytest.mark.parametrize("refusal", [by_status, by_words, by_size, by_event])
async def test_prompt_that_is_too_long_is_asked_again_with_half_of_the_conversation(
    refusal: Any,
) -> None:
    model = SmallContextModel(6, refusal)
    phase, message = await answered(model, 8)
    assert phase is Phase.DONE
    assert message.markdown == "Done."
    assert english(Phrase.OLDER_HALF_LEFT_OUT) in message.state
    first, second = model.asked
    assert len(first) == 9
    assert (second[0], second[-3:]) == (first[0], first[-3:])
    assert 3 < len(second) < 6


@pytest.mark.parametrize(("earlier", "asked"), [(8, [9, 4]), (1, [2, 1]), (0, [1])])
async def test_prompt_that_is_still_too_long_says_so(earlier: int, asked: list[int]) -> None:
    model = SmallContextModel(0)
    phase, message = await answered(model, earlier)
    assert phase is Phase.FAILED
    assert english(PromptTooLong.user_message) in message.text
    assert [len(told) for told in model.asked] == asked


async def test_prompt_is_not_halved_after_text_was_shown() -> None:
    model = SmallContextModel(0, after_text)
    phase, message = await answered(model, 8)
    assert phase is Phase.FAILED
    assert message.markdown == "Half"
    assert len(model.asked) == 1


async def test_prompt_with_a_long_tool_output_halves_the_conversation_only() -> None:
    model = SmallContextModel(9, rounds=StrictResponses())
    phase, message = await answered(model, 8)
    assert phase is Phase.DONE
    assert english(Phrase.OLDER_HALF_LEFT_OUT) in message.state
    assert [len(told) for told in model.asked] == [9, 10, 5]
