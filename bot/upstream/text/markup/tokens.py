"""The openers and closers of markup that models write for programs. Pure.

Servers should remove their model's markup from the text. The lists hold what was seen where one did
not: the chat templates of DeepSeek, Qwen, Kimi, Mistral, GLM, MiniMax, Granite, Phi, LFM and Llama,
and OpenAI's harmony format.
"""

from __future__ import annotations

import re

# Thinking, by opener. All tokens are in lower case and match in any case.
_THINKING_TAG_NAMES = (
    "think",
    "thinking",
    "thought",
    "reasoning",
    "seed:think",
    "antthinking",
    "mm:think",
)
THINKING_TAGS: dict[str, str] = {
    **{f"<{name}>": f"</{name}>" for name in _THINKING_TAG_NAMES},
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
THINKING_CLOSERS = tuple(f"</{name}>" for name in _THINKING_TAG_NAMES)

# Closers of tool calls by opener; "" means the end of the text.
TOOL_CALL_TAGS: dict[str, str] = {
    "<tool_call>": "</tool_call>",
    "<tool_calls>": "</tool_calls>",
    "<toolcall>": "</toolcall>",
    "<function_call>": "</function_call>",
    "<function_calls>": "</function_calls>",
    "<function=": "</function>",
    "<invoke name=": "</invoke>",
    "<minimax:tool_call>": "</minimax:tool_call>",
    "<|tool_calls_section_begin|>": "<|tool_calls_section_end|>",
    "<|tool_call_begin|>": "<|tool_call_end|>",
    "<|tool_call_start|>": "<|tool_call_end|>",
    "<|tool_call|>": "<|/tool_call|>",
    "<\uff5ctool▁calls▁begin\uff5c>": "<\uff5ctool▁calls▁end\uff5c>",
    "<\uff5ctool▁call▁begin\uff5c>": "<\uff5ctool▁call▁end\uff5c>",
    "<|start|>assistant<|channel|>commentary to=": "<|call|>",
    "<|channel|>commentary to=": "<|call|>",
    "<|python_tag|>": "<|eom_id|>",
    "[tool_calls]": "",
}
TOOL_CALL_OPENERS = tuple(TOOL_CALL_TAGS)
# A call of Kimi's whose tokens the server removed.
KIMI_CALL = re.compile(r"functions\.[\w.-]{1,64}:\d{1,4}\s{0,3}(?=\{)")

# The header of a harmony message with its channel, and the end of such a message.
CHANNEL_HEADER = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(analysis|commentary|final)[^<]{0,40}<\|message\|>",
    re.IGNORECASE,
)
CHANNEL_HEADER_STARTS = ("<|start|>assistant<|channel|>", "<|channel|>")
MAX_CHANNEL_HEADER_CHARACTERS = 100
MESSAGE_END = re.compile(r"<\|(?:end|return)\|>", re.IGNORECASE)
ANALYSIS_END = re.compile(
    r"<\|(?:end|return)\|>|(?=<\|start\|>|<\|channel\|>)",
    re.IGNORECASE,
)
ANALYSIS_END_TOKENS = ("<|end|>", "<|return|>", "<|start|>", "<|channel|>")

# All tokens that begin with "<" and may occur anywhere in a text.
ANGLE_TOKENS = tuple(
    token
    for token in (*THINKING_CLOSERS, *TOOL_CALL_TAGS, "<|end|>", "<|return|>")
    if token.startswith("<")
)
MAX_ANGLE_TOKEN_CHARACTERS = max(map(len, ANGLE_TOKENS))

_CITATION_CHARACTERS = re.compile("[\ue200-\ue206\u3010]")
# The beginning of a bare citation mark, or of its first word at the end of a text.
_BARE_CITATION_START = (
    r"(?:filecite|cite)(?=[ \ue202]?(?:t|\Z))|(?:f|fi|fil|file|filec|fileci|filecit|c|ci|cit)\Z"
)
_BARE_CITATION_TAILS = ("c", "ci", "cit", "f", "fi", "fil", "file")
MARKUP_START = re.compile(f"[<\ue200-\ue206\u3010]|{_BARE_CITATION_START}")


def may_contain_markup(text: str) -> bool:
    """Return whether any markup may begin in this text; fast, because nearly no delta has any."""
    if "<" in text or "cite" in text or text.endswith(_BARE_CITATION_TAILS):
        return True
    return not (text.isascii() or _CITATION_CHARACTERS.search(text) is None)


def may_become(text: str, tokens: tuple[str, ...]) -> bool:
    """Return whether `text` is the beginning of one of the tokens."""
    lower = text.lower()
    return any(token.startswith(lower) for token in tokens)
