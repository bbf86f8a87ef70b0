"""Words for programs inside an answer's text: found while it streams, and kept from its reader.

`filter` takes the text of one part in deltas; `citations`, `bare` and `tokens` say what is looked
for, `code` where that is text; `calls` drops the markup of tool calls once it is known that they
came as real calls. All pure.
"""

from __future__ import annotations

from bot.upstream.text.markup.calls import without_calls as without_calls
from bot.upstream.text.markup.filter import MOST_HELD as MOST_HELD
from bot.upstream.text.markup.filter import Piece as Piece
from bot.upstream.text.markup.filter import TextFilter as TextFilter
from bot.upstream.text.markup.filter import filtered as filtered
from bot.upstream.text.markup.tokens import has_sign as has_sign
