"""The tools of one bot: runs calls in bounded time, with bounded output.

Every failure of a call becomes a short text for the model, which can then correct itself or go on
without the tool. The turn limits how many rounds of calls an answer may have.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence

from bot.errors import ToolError
from bot.tools.tool import Tool, ToolContext
from bot.upstream.events import ToolCall
from bot.upstream.prompt import ToolSpec
from bot.words import Language, Phrase, say

log = logging.getLogger(__name__)

MAX_STATUS_LABEL_CHARACTERS = 80


class Toolbox:
    """Tools by name; raises ValueError if two have the same.

    `timeout_seconds` and `max_output_characters` apply to each call. `specs` describes the tools to
    the model.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        timeout_seconds: float = 20.0,
        max_output_characters: int = 8000,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        if len(self._tools) < len(tools):
            raise ValueError("two tools have the same name")
        self._timeout_seconds = timeout_seconds
        self._max_output_characters = max_output_characters
        self.specs: tuple[ToolSpec, ...] = tuple(
            ToolSpec(tool.name, tool.description, tool.parameters) for tool in tools
        )

    def status_label(self, call: ToolCall, language: Language) -> str:
        """Return what the reader sees while a call runs: one short line without secrets."""
        tool = self._tools.get(call.name)
        if tool is None or tool.status_label is None:
            return _default_status_label(call, language)
        try:
            label = tool.status_label(call.arguments)
            said = label if isinstance(label, str) else say(language, label)
            return _clip(said, MAX_STATUS_LABEL_CHARACTERS)
        except Exception:  # noqa: BLE001  # arguments may be anything, and this is only a label
            return _default_status_label(call, language)

    def is_repeatable(self, name: str) -> bool:
        """Return whether a call may run again after a crash; unknown tools never run at all."""
        tool = self._tools.get(name)
        return tool is None or not tool.has_side_effects

    async def run(self, call: ToolCall, context: ToolContext) -> str:
        """Run a call and return its output, or an error text. Raises only when cancelled."""
        tool = self._tools.get(call.name)
        if tool is None:
            return self._bound_output(f"Error: {self._unknown_tool_message(call.name)}")
        try:
            return self._bound_output(await self._run_with_timeout(tool, call.arguments, context))
        except ToolError as error:
            return self._bound_output(f"Error: {error}")
        except Exception as error:  # noqa: BLE001  # a tool's defect must not end the answer
            _log_failure(tool, error)
            return f"Error: {tool.name} failed ({type(error).__name__})."

    async def _run_with_timeout(self, tool: Tool, arguments: str, context: ToolContext) -> str:
        limit = asyncio.timeout(self._timeout_seconds)
        try:
            async with limit:
                return await tool.run(arguments, context)
        except TimeoutError:
            if not limit.expired():
                raise
            why = f"{tool.name} took longer than {self._timeout_seconds:g} seconds and was stopped."
            raise ToolError(why) from None

    def _unknown_tool_message(self, name: str) -> str:
        there = "there are " + ", ".join(self._tools) if self._tools else "there are none"
        return f"There is no tool {_clip(name, 64)}; {there}."

    def _bound_output(self, output: str) -> str:
        """Return output that upstreams accept: valid Unicode, not empty, not too long."""
        text = output.encode("utf-8", "replace").decode("utf-8")
        if not text.strip():
            return "(no output)"
        if len(text) <= self._max_output_characters:
            return text
        mark = f"\n[Cut off: {len(text):,} characters are more than a tool may return.]"
        return (text[: max(0, self._max_output_characters - len(mark))] + mark)[
            -self._max_output_characters :
        ]


def _default_status_label(call: ToolCall, language: Language) -> str:
    """Return a label without the arguments, in which a model may write anything."""
    hidden = "()" if call.arguments.strip() in ("", "{}", "null") else "(…)"
    return say(language, Phrase.CALLING_TOOL, call=_clip(call.name, 64) + hidden)


def _clip(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _log_failure(tool: Tool, error: Exception) -> None:
    """Log where it happened, but not the exception's message, which may quote people's text."""
    where = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    log.error("tool %s raised an unexpected error: %s\n%s", tool.name, type(error).__name__, where)
