"""Removes markup for programs from an answer's text while it streams. Pure.

filter.py          filters the text of one part, delta by delta
tokens.py          the openers and closers of thinking and tool calls
citations.py       citation marks, as models write them
bare_citations.py  citation marks that lost their private-use characters
code.py            tells whether a position is inside code, where markup is ordinary text
calls.py           removes the markup of tool calls that also came as real calls
"""

from __future__ import annotations

from bot.upstream.text.markup.calls import strip_tool_calls as strip_tool_calls
from bot.upstream.text.markup.filter import MAX_HELD_CHARACTERS as MAX_HELD_CHARACTERS
from bot.upstream.text.markup.filter import FilteredText as FilteredText
from bot.upstream.text.markup.filter import TextFilter as TextFilter
from bot.upstream.text.markup.filter import filter_text as filter_text
from bot.upstream.text.markup.tokens import may_contain_markup as may_contain_markup
