"""A prompt as the JSON bodies of both wire formats."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.upstream.events import ToolCall
from bot.upstream.prompt import Prompt, ToolResult, ToolRound, ToolSpec
from bot.upstream.requests.attribution import ATTRIBUTION_INSTRUCTIONS
from bot.upstream.requests.bodies import CHAT_OPTIONS, RESPONSES_OPTIONS, chat_body, responses_body
from bot.values import Author, Message

SCHEMA = {"type": "object", "properties": {"zone": {"type": "string"}}}
PROMPT = Prompt(
    "Be brief.",
    (
        Message("user", "What time is it?", Author("U1", "Ann")),
        Message("assistant", "Where?"),
        Message("user", ""),
        Message("user", "Here."),
    ),
    tools=(ToolSpec("now", "Tells the time.", SCHEMA),),
    hosted_tools=({"type": "web_search"},),
    rounds=(
        ToolRound(None, (ToolResult(ToolCall("call_1", "now", '{"zone":"x"}'), "no such zone"),)),
        ToolRound(None, (ToolResult(ToolCall("call_2", "now", "{}"), "12:00"),)),
    ),
)
MESSAGES = [
    {"role": "user", "content": 'From person U1, named "Ann":\n> What time is it?'},
    {"role": "assistant", "content": "Where?"},
    {"role": "user", "content": "Here."},
]


def read(body: bytes) -> Any:
    """Return what a body says."""
    return msgspec.json.decode(body)


def test_responses_body_of_a_full_prompt() -> None:
    assert read(responses_body(PROMPT, "tiny", set())) == {
        "model": "tiny",
        "stream": True,
        "instructions": f"Be brief.\n\n{ATTRIBUTION_INSTRUCTIONS}",
        "input": [
            *MESSAGES,
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "now",
                "arguments": '{"zone":"x"}',
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "no such zone"},
            {"type": "function_call", "call_id": "call_2", "name": "now", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_2", "output": "12:00"},
        ],
        "tools": [
            {
                "type": "function",
                "strict": False,
                "name": "now",
                "description": "Tells the time.",
                "parameters": SCHEMA,
            },
        ],
    }


def test_responses_body_has_exactly_the_given_options() -> None:
    body = read(responses_body(PROMPT, "tiny", RESPONSES_OPTIONS))
    assert (body["background"], body["store"]) == (True, True)
    assert body["stream_options"] == {"include_obfuscation": False}
    assert body["tools"][-1] == {"type": "web_search"}
    assert read(responses_body(PROMPT, "tiny", {"store"}))["store"] is False


def test_chat_body_of_a_full_prompt() -> None:
    called = [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "now", "arguments": '{"zone":"x"}'},
        },
        {"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    assert read(chat_body(PROMPT, "tiny", CHAT_OPTIONS)) == {
        "model": "tiny",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": f"Be brief.\n\n{ATTRIBUTION_INSTRUCTIONS}"},
            *MESSAGES,
            {"role": "assistant", "content": None, "tool_calls": called[:1]},
            {"role": "tool", "tool_call_id": "call_1", "content": "no such zone"},
            {"role": "assistant", "content": None, "tool_calls": called[1:]},
            {"role": "tool", "tool_call_id": "call_2", "content": "12:00"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "now",
                    "description": "Tells the time.",
                    "parameters": SCHEMA,
                },
            },
        ],
    }


def test_bodies_of_a_bare_prompt_have_no_empty_fields() -> None:
    bare = Prompt("", (Message("user", "Hi"),))
    message = {"role": "user", "content": "Hi"}
    assert read(responses_body(bare, "tiny", set())) == {
        "model": "tiny",
        "stream": True,
        "input": [message],
    }
    assert read(chat_body(bare, "tiny", set())) == {
        "model": "tiny",
        "stream": True,
        "messages": [message],
    }
