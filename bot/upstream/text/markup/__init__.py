"""Words for programs inside an answer's text: found while it streams, and kept from its reader.

`filter` takes the text of one part in deltas; `citations`, `bare` and `tokens` say what is looked
for, `code` where that is text; `calls` drops the markup of tool calls once it is known that they
came as real calls. All pure.
"""

from __future__ import annotations

from bot.upstream.text.markup.calls import strip_tool_calls as strip_tool_calls
from bot.upstream.text.markup.filter import MAX_HELD_CHARACTERS as MAX_HELD_CHARACTERS
from bot.upstream.text.markup.filter import FilteredText as FilteredText
from bot.upstream.text.markup.filter import TextFilter as TextFilter
from bot.upstream.text.markup.filter import filter_text as filter_text
from bot.upstream.text.markup.tokens import may_contain_markup as may_contain_markup
