"""What of a conversation fits the model. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bot.upstream.prompt import Prompt
from bot.upstream.requests.attribution import with_attribution, with_attribution_instructions
from bot.values import Message

DEFAULT_BYTES_PER_TOKEN = 4.0
"""Where the server has not yet told: about what English and most UTF-8 text take."""

MIN_BYTES_PER_TOKEN, MAX_BYTES_PER_TOKEN = 1.0, 8.0
"""Bounds of what is learnt: no tokenizer makes more tokens than bytes, and none is so good."""

NEWEST_SAMPLE_WEIGHT = 0.2  # of the newest report, against all before it
MIN_SAMPLE_BYTES = (
    400  # a shorter prompt says more about the server's own additions than about text
)
TOKENS_PER_MESSAGE = 4  # its role and its delimiters


class TokenRate:
    """How many bytes of a prompt make a token, learnt from what the server counted."""

    def __init__(self) -> None:
        self.bytes_per_token = DEFAULT_BYTES_PER_TOKEN
        self._learnt = False

    def add_sample(self, prompt_bytes: int, input_tokens: int) -> None:
        """Take note that a prompt of so many bytes was so many tokens."""
        if input_tokens <= 0 or prompt_bytes < MIN_SAMPLE_BYTES:
            return
        seen = min(MAX_BYTES_PER_TOKEN, max(MIN_BYTES_PER_TOKEN, prompt_bytes / input_tokens))
        weight = NEWEST_SAMPLE_WEIGHT if self._learnt else 1.0
        self.bytes_per_token += weight * (seen - self.bytes_per_token)
        self._learnt = True

    def estimate_tokens(self, message: Message) -> int:
        """About how many tokens the message costs."""
        return TOKENS_PER_MESSAGE + math.ceil(_message_bytes(message) / self.bytes_per_token)


def count_prompt_bytes(prompt: Prompt) -> int:
    """The bytes of a prompt that its server counts as input, about."""
    texts = [
        with_attribution_instructions(prompt.instructions, prompt.messages),
        *map(with_attribution, prompt.messages),
    ]
    schemas = [(tool.name, tool.description, dict(tool.parameters)) for tool in prompt.tools]
    size = sum(len(text.encode(errors="replace")) for text in texts)
    return size + (len(msgspec.json.encode(schemas)) if schemas else 0)


@dataclass(frozen=True, slots=True)
class FittedMessages:
    """What is told of the earlier messages; `left_out` lie between `first` and `newest`."""

    first: tuple[Message, ...]
    newest: tuple[Message, ...]
    left_out: int


def fit_messages(
    first: Sequence[Message],
    later: Sequence[Message],
    question_messages: Sequence[Message],
    max_tokens: int,
    rate: TokenRate,
) -> FittedMessages:
    """Choose the earlier messages that fit `max_tokens` tokens beside the question.

    `first` is what a thread began with (one message, or none), `later` what followed, in order. The
    question is always sent whole: the server's own refusal says more than half of a question.
    Next comes what the thread began with, then the newest messages, without gaps.
    """
    left = max_tokens - sum(map(rate.estimate_tokens, question_messages))
    opening = sum(map(rate.estimate_tokens, first))
    begins = tuple(first) if opening <= left else ()
    left -= opening if begins else 0
    count = 0
    for message in reversed(later):
        left -= rate.estimate_tokens(message)
        if left < 0:
            break
        count += 1
    newest = tuple(later[len(later) - count :])
    return FittedMessages(begins, newest, len(first) - len(begins) + len(later) - count)


def halve_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation for a model that found it too long: about half of its bytes.

    The question, which comes last, and the first message stay; of the others the oldest go. Of two
    messages the question is left, of one nothing: () says that there is no shorter form.
    """
    if len(messages) < 3:
        return tuple(messages[1:])
    first, *others, question = messages
    limit = (
        sum(map(_message_bytes, messages)) // 2 - _message_bytes(first) - _message_bytes(question)
    )
    kept: list[Message] = []
    for message in reversed(others[1:]):
        limit -= _message_bytes(message)
        if limit < 0:
            break
        kept.append(message)
    return (first, *reversed(kept), question)


def _message_bytes(message: Message) -> int:
    """The bytes that are sent of a message."""
    return len(with_attribution(message).encode(errors="replace"))
