"""What of a conversation fits the model. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.values import Message

# A token is about four bytes of English and of most UTF-8 text; servers count exactly, we only
# keep well below their limits. A message costs a few tokens beside its text.
BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


def tokens(message: Message) -> int:
    """About how many tokens the message costs."""
    text = f"{message.name}: {message.text}" if message.name else message.text
    return TOKENS_PER_MESSAGE + -(-len(text.encode()) // BYTES_PER_TOKEN)


def fit(messages: Sequence[Message], limit: int) -> tuple[Message, ...]:
    """The newest messages that fit `limit` tokens, in order; the last one always stays.

    A last message that is too long by itself is kept whole: the server's own refusal says more
    than a question cut in half.
    """
    spent = 0
    kept: list[Message] = []
    for message in reversed(messages):
        spent += tokens(message)
        if kept and spent > limit:
            break
        kept.append(message)
    return tuple(reversed(kept))


def halved(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation for a model that found it too long: about half of its tokens.

    The question, which comes last, and the first message stay; of the others the oldest go. Of two
    messages the question is left, of one nothing: () says that there is no shorter form.
    """
    if len(messages) < 3:
        return tuple(messages[1:])
    first, *others, question = messages
    limit = sum(map(tokens, messages)) // 2 - tokens(first) - tokens(question)
    kept: list[Message] = []
    for message in reversed(others[1:]):
        limit -= tokens(message)
        if limit < 0:
            break
        kept.append(message)
    return (first, *reversed(kept), question)
