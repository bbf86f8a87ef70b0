"""Estimates tokens, and chooses the messages of a conversation that fit the model. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from bot.history.fitting.remarks import SUMMARY_HEADER
from bot.upstream.prompt import Prompt
from bot.upstream.requests.attribution import with_attribution, with_attribution_instructions
from bot.values import Message, join_paragraphs

DEFAULT_BYTES_PER_TOKEN = 4.0
"""Used before the first sample: about right for English and most UTF-8 text."""

MIN_BYTES_PER_TOKEN, MAX_BYTES_PER_TOKEN = 1.0, 8.0
"""Limits of the learnt rate: a token is at least one byte, and no tokenizer reaches eight."""

NEWEST_SAMPLE_WEIGHT = 0.2  # of the newest sample, in the moving average
MIN_SAMPLE_BYTES = 400  # in shorter prompts the server's own additions weigh too much
PICTURE_TOKENS = 1_100
"""What a picture counts as. OpenAI counts 85 tokens and 170 for each tile of 512 pixels: 765 for a
square picture, 1,105 for a wide one (docs/upstream.md#files). The text of files has a limit of its
own and does not count."""

TOKENS_PER_MESSAGE = 4  # for its role and delimiters

CLIPPED_ANSWER_CHARACTERS = 1500
"""What remains of an earlier answer of ours that is clipped. Long answers in a conversation also
make a model write long ones."""

CLIPPED_ANSWER_MARK = "[the rest of this answer is left out here]"


class TokenRate:
    """The bytes per token of a prompt, learnt from the server's counts as a moving average."""

    def __init__(self) -> None:
        self.bytes_per_token = DEFAULT_BYTES_PER_TOKEN
        self._learnt = False

    def add_sample(self, prompt_bytes: int, input_tokens: int) -> None:
        """Learn from a prompt of `prompt_bytes` that the server counted as `input_tokens`."""
        if input_tokens <= 0 or prompt_bytes < MIN_SAMPLE_BYTES:
            return
        seen = min(MAX_BYTES_PER_TOKEN, max(MIN_BYTES_PER_TOKEN, prompt_bytes / input_tokens))
        weight = NEWEST_SAMPLE_WEIGHT if self._learnt else 1.0
        self.bytes_per_token += weight * (seen - self.bytes_per_token)
        self._learnt = True

    def estimate_tokens(self, message: Message) -> int:
        """Estimate the tokens of a message."""
        pictures = PICTURE_TOKENS * len(message.pictures)
        text = math.ceil(_message_bytes(message) / self.bytes_per_token)
        return TOKENS_PER_MESSAGE + text + pictures


def count_prompt_bytes(prompt: Prompt) -> int:
    """The bytes of a prompt that the server counts as input, approximately."""
    texts = [
        with_attribution_instructions(prompt.instructions, prompt.messages),
        *map(with_attribution, prompt.messages),
    ]
    schemas = [(tool.name, tool.description, dict(tool.parameters)) for tool in prompt.tools]
    size = sum(len(text.encode(errors="replace")) for text in texts)
    return size + (len(msgspec.json.encode(schemas)) if schemas else 0)


@dataclass(frozen=True, slots=True)
class FittedMessages:
    """The earlier messages that fit; `left_out` messages between `first` and `newest` don't."""

    first: tuple[Message, ...]
    newest: tuple[Message, ...]
    left_out: int


def fit_messages(
    first: Sequence[Message],
    later: Sequence[Message],
    question_messages: Sequence[Message],
    max_tokens: int,
    rate: TokenRate,
    *,
    reserved: int = 0,
) -> FittedMessages:
    """Choose the earlier messages that fit `max_tokens` together with the question.

    `reserved` of these tokens are kept free for something else.

    `first` is the first message of a thread, or empty; `later` are the following messages in order.
    The question is never cut: if it is too long, the server's error is more helpful than an answer
    to half of it. Our own long answers are clipped first, from the oldest on. Then `first` is kept
    if it fits, and the newest messages without gaps.
    """
    left = max_tokens - reserved - sum(map(rate.estimate_tokens, question_messages))
    clipped = _clip_answers([*first, *later], left, rate)
    first, later = clipped[: len(first)], clipped[len(first) :]
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


def clip_answer(message: Message) -> Message:
    """The beginning of a long answer of ours, with a mark; other messages as they are."""
    if message.role != "assistant":
        return message
    kept = message.text[:CLIPPED_ANSWER_CHARACTERS].rstrip()
    clipped = join_paragraphs(kept, CLIPPED_ANSWER_MARK)
    return replace(message, text=clipped) if len(clipped) < len(message.text) else message


def _clip_answers(
    messages: Sequence[Message], max_tokens: int, rate: TokenRate
) -> Sequence[Message]:
    """Clip answers from the oldest on, until the messages fit or all long answers are clipped."""
    over = sum(map(rate.estimate_tokens, messages)) - max_tokens
    clipped = list(messages)
    for position, message in enumerate(messages):
        if over <= 0:
            break
        shorter = clip_answer(message)
        saved = rate.estimate_tokens(message) - rate.estimate_tokens(shorter)
        if saved > 0:
            clipped[position], over = shorter, over - saved
    return clipped


def halve_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Shorten a conversation that the model refused as too long to about half of its bytes.

    The summary, the first message and the question, which is last, are kept; the oldest of the
    others are dropped. If there are no others, only the question is kept. A question alone becomes
    (): it can't be shortened.
    """
    opening = 2 if messages and messages[0].text.startswith(SUMMARY_HEADER) else 1
    if len(messages) < opening + 2:
        return tuple(messages[-1:]) if len(messages) > 1 else ()
    first, others, question = messages[:opening], messages[opening:-1], messages[-1]
    limit = sum(map(_message_bytes, messages)) // 2
    limit -= sum(map(_message_bytes, (*first, question)))
    kept: list[Message] = []
    for message in reversed(others[1:]):
        limit -= _message_bytes(message)
        if limit < 0:
            break
        kept.append(message)
    return (*first, *reversed(kept), question)


def _message_bytes(message: Message) -> int:
    """The bytes of a message as it is sent."""
    return len(with_attribution(message).encode(errors="replace"))
