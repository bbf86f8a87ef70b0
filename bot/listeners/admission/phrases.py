"""Recognises reactions such as "thanks", in English and Chinese. Pure.

A message counts only if it says nothing else.
"""

from __future__ import annotations

import re

from bot.turn.thread_queue import normalised_words

MAX_REACTION_CHARACTERS = 200
"""Longer messages are questions. Ours."""

_EMOJI_NAME = re.compile(r":[\w+'-]+:")  # also those without letters, such as :+1:
_ENGLISH_REACTION = (
    r"(?:(?:good|great|nice) (?:job|work|one)|well done|sounds (?:good|great|fine)"
    r"|thank you|thanks|thank u|thx|tysm|ty|cheers|much appreciated|appreciate it|appreciated"
    r"|ok|okay|okey|oki|kk|k|alright|all right|fine"
    r"|got it|gotcha|understood|i see|noted|roger|makes sense|good to know|will do"
    r"|great|good|nice|cool|perfect|awesome|excellent|wonderful|amazing|brilliant|fantastic"
    r"|super|sweet|neat|lovely|wow|yay|lgtm"
    r"|helpful|help(?:s|ed)|work(?:s|ed)"
    r"|no problem|no worries|np|you re welcome|yw"
    r"|(?:ha)+h?|lol|lmao|h?m+)"
)
_ENGLISH_FILLER = (
    r"(?:oh|ah|so much|very much|a lot|a bunch|a ton|again|all|everyone|everybody|guys|team|bot"
    r"|for (?:that|this|the (?:help|info|answer|explanation)|your (?:help|answer))"
    r"|(?:that|it|this) (?:s|is|was)|that|this|it|very|really|so|then|now|and|many|just"
    r"|sir|mate|man)"
)
# Simplified and traditional forms side by side. Longer forms of a word come before shorter ones:
# what has matched is not tried again, so that no text takes long.
_CHINESE_REACTION = (
    r"(?:(?:谢谢|謝謝)(?:你|您|大家)?|多谢|多謝|(?:非常)?感谢|(?:非常)?感謝|谢啦|謝啦|谢了|謝了|谢|謝"
    r"|好[的吧呀啊嘞滴哒了]?|嗯+|恩恩|哦+|喔+|噢+|行[了吧]?|收到|明白了?|知道了|晓得了|曉得了"
    r"|了解了?|瞭解了?|懂了|清楚了?|太好了|太棒了|太强了|太強了|真棒|很棒|棒|不错|不錯|很好|真好|赞|讚"
    r"|厉害|厲害|牛|辛苦了?|没事了?|沒事了?|不客气|不客氣|没问题|沒問題|原来如此|原來如此|哈+|可以了|搞定了?)"
)
_CHINESE_FILLER = r"(?:[啊呀啦哈哦了吧呢]|非常|很|真的?|太|你|您|大家|那就|那)"
_REACTION = re.compile(
    rf"(?:(?:{_ENGLISH_FILLER} |{_CHINESE_FILLER} ?)*+"
    rf"(?:{_ENGLISH_REACTION}(?: |$)|{_CHINESE_REACTION} ?)"
    rf"(?:{_ENGLISH_FILLER}(?: |$)|{_CHINESE_FILLER} ?)*+)++"
)


def is_reaction(text: str) -> bool:
    """Whether a text asks nothing and only reacts: thanks, agreement, praise, or emoji alone.

    A text with a question mark asks something.
    """
    if len(text) > MAX_REACTION_CHARACTERS or "?" in text or "\uff1f" in text:
        return False
    words = normalised_words(_EMOJI_NAME.sub(" ", text))
    return not words or _REACTION.fullmatch(words) is not None
