"""Calls tools as a turn does."""

from __future__ import annotations

import json
from typing import Any

from bot.tools.tool import Tool, ToolContext
from bot.tools.toolbox import Toolbox
from bot.upstream.events import ToolCall
from bot.values import Place, Question

QUESTION = Question("q1", ("k1",), Place("T1", "C1", "channel", "1.0"), "U1", "hello", "2.0")
CONTEXT = ToolContext(QUESTION)


def call(name: str, **arguments: Any) -> ToolCall:
    """Return a call as a model makes it."""
    return ToolCall("call_1", name, json.dumps(arguments))


async def output(tool: Tool, context: ToolContext = CONTEXT, **arguments: Any) -> str:
    """Return the output that the model gets for a call."""
    return await Toolbox([tool]).run(call(tool.name, **arguments), context)
