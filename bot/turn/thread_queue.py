"""The order of a thread: one running answer at a time, and messages that stop it. Pure."""

from __future__ import annotations

import re
import unicodedata

from bot.history.new_conversation import asks_for_new_conversation
from bot.values import Place, Question

MAX_STOP_CHARACTERS = 2000
"""Characters of a message that is examined for a stop. Ours: longer texts are questions, and the
expression below costs time."""

_NOT_WORDS = re.compile(r"<@[^<>\s]*>|:[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:")  # mentions, emoji
_SCRIPT_BOUNDARY = re.compile(r"(?<=[\u4e00-\u9fff])(?=[a-z])|(?<=[a-z])(?=[\u4e00-\u9fff])")

_ENGLISH_POLITE = (
    r"(?:(?:can|could|would|will) you|thank you(?: very much)?|many thanks|thanks(?: a lot)?|thx|ty"
    r"|please|pls|plz|kindly|sorry|ok|okay|alright|all right|hey|hi|hello|now|right now|just)"
)
_ENGLISH_STOP = r"stop(?: it| that| this| here)?"
# Simplified and traditional forms side by side.
_CHINESE_POLITE = (
    r"(?:请你?|請你?|麻烦你?|麻煩你?|拜托你?|拜託你?|谢谢你?|謝謝你?|多谢|多謝|好的?|好了|够了|夠了"
    r"|可以吗|可以嗎|好吗|好嗎|行吗|行嗎|能不能|可不可以|可以|能|你好|现在|現在|先|吗|嗎|吧|了|啦)"
)
_CHINESE_STOP = (
    r"(?:停止一下|停止|停一下|停一停|停下来|停下來|停下|停|打住|住口"
    r"|别再?说了?|別再?說了?|不要再?说了?|不要再?說了?|别再?写了?|別再?寫了?|不要再?写了?|不要再?寫了?)"
)
_POLITE = f"(?:{_ENGLISH_POLITE}|{_CHINESE_POLITE})"
_STOP = f"(?:{_ENGLISH_STOP}|{_CHINESE_STOP})"
# English words are separated by one space; Chinese ones may follow each other directly.
_STOP_MESSAGE = re.compile(
    rf"(?:{_ENGLISH_POLITE} |{_CHINESE_POLITE} ?)*+{_STOP}"
    rf"(?:(?: |(?<=[\u4e00-\u9fff])){_STOP}|(?: |(?<=[\u4e00-\u9fff])){_POLITE})*+"
)


def ordering_thread_key(question: Question) -> str | None:
    """The key of the thread in which a question waits for the answers before it.

    None for questions that never wait: commands, shortcuts, messages without words, and the word
    that starts a new conversation. A question in a thread may be merged with one that waits there;
    one that is about a certain message can't be.
    """
    if question.about or asks_for_new_conversation(question) or not question.text.strip():
        return None
    return thread_key(question.place)


def thread_key(place: Place) -> str | None:
    """The key of the thread at a place; None for a command, which is in no thread."""
    return f"{place.team}:{place.channel}:{place.thread_ts}" if place.thread_ts else None


def is_stop(text: str) -> bool:
    """Whether a message asks for nothing but to stop, in English or Chinese.

    Courtesies, mentions, emoji and punctuation are ignored. Any other word makes it a question.
    """
    return len(text) <= MAX_STOP_CHARACTERS and bool(
        _STOP_MESSAGE.fullmatch(normalised_words(text))
    )


def normalised_words(text: str) -> str:
    """The words of a text in lower case, with one space between them. Mentions, emoji and
    punctuation are left out."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(
        letter if letter.isalnum() else " "
        for letter in _NOT_WORDS.sub(" ", folded)
        if unicodedata.category(letter) != "Cf"
    )
    return _SCRIPT_BOUNDARY.sub(" ", " ".join(words.split()))
