"""Recognises reactions such as "thanks", and wishes such as "only when mentioned". Pure.

A message counts only if it says nothing else, in English or Chinese.
"""

from __future__ import annotations

import re

from bot.storage.records import ThreadMode
from bot.turn.thread_queue import normalised_words

MAX_PHRASE_CHARACTERS = 200
"""Longer messages are questions. Ours."""

_EMOJI_NAME = re.compile(r":[\w+'-]+:")  # also those without letters, such as :+1:
_AT_YOU = re.compile("@你")
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

_ENGLISH_POLITE = r"(?:(?:please|pls|kindly|ok|okay|thanks|thank you|now|from now on|again) ?)*+"
_ANSWER = r"(?:answer|reply|respond|speak|talk|write|listen|react)"
_ANSWER += r"(?: here| to (?:me|us)| in (?:this|the) (?:thread|conversation))?"
_ENGLISH_MENTIONS = (
    rf"(?:(?:{_ANSWER} )?(?:only|just) (?:{_ANSWER} )?(?:when|if) "
    r"(?:you (?:are|re|get) |(?:i|we) )?"
    r"(?:explicitly )?(?:mention(?:ed)?|tag(?:ged)?|ping(?:ed)?)(?: you)?"
    rf"|(?:{_ANSWER} )?(?:only )?(?:to )?mentions only|only (?:{_ANSWER} )?(?:on |to )?mentions?"
    r"|(?:stop following|unfollow|do not follow|don t follow) (?:this|the) (?:thread|conversation))"
)
_ENGLISH_FOLLOW = (
    r"(?:keep following|follow|continue to follow|start following)"
    r" (?:this|the) (?:thread|conversation|discussion)"
)
_IN_THIS_THREAD = r"(?: (?:here|in (?:this|the) (?:thread|conversation)))?"

_CHINESE_POLITE = r"(?:(?:请你?|請你?|麻烦你?|麻煩你?|谢谢|謝謝|好的?|吧|了|哦|啊|以后|以後) ?)*+"
_THREAD = (
    r"(?:这个|這個|这条|這條|此|本|该|該)?"
    r"(?:消息列|讨论串|討論串|话题|話題|帖子|消息串|訊息串|线程|執行緒|对话|對話|会话|會話|讨论|討論)"
)
_FOLLOW = r"(?:继续|繼續)?(?:跟进|跟進|关注|關注|跟随|跟隨|追踪|追蹤)"
_MENTION = r"(?:有人|我们?|我們|大家)?(?:被)?(?:提到|提及|艾特|点名|點名)你?"
_WHEN = r"(?:的?时候?|的?時候?|后|後)?"
_SAY = r"(?:回答|回复|回覆|回应|回應|说话|說話|发言|發言)"
_CHINESE_MENTIONS = (
    rf"(?:(?:你)?(?:只有?|仅|僅)(?:在|当|當)?{_MENTION}{_WHEN}(?:你)?(?:才|再|可以)?{_SAY}?"
    rf"|(?:只有?|仅|僅){_SAY}(?:提到|提及)你的(?:消息|訊息)"
    rf"|{_MENTION}{_WHEN}(?:你)?(?:才|再){_SAY}|(?:不要|别|別|不用|停止|取消)再?{_FOLLOW}{_THREAD})"
)
_MENTIONS_WISH, _FOLLOW_WISH = (
    re.compile(
        rf"{_ENGLISH_POLITE}{english}{_IN_THIS_THREAD}(?: |$){_ENGLISH_POLITE}"
        rf"|{_CHINESE_POLITE}{chinese} ?{_CHINESE_POLITE}"
    )
    for english, chinese in (
        (_ENGLISH_MENTIONS, _CHINESE_MENTIONS),
        (_ENGLISH_FOLLOW, _FOLLOW + _THREAD),
    )
)


def parse_thread_mode(text: str) -> ThreadMode | None:
    """The wish for a thread that a text says, such as "only when mentioned"; None if it says
    anything else."""
    if len(text) > MAX_PHRASE_CHARACTERS or _asks(text):
        return None
    words = normalised_words(_AT_YOU.sub("提到你", text))
    if _MENTIONS_WISH.fullmatch(words):
        return "mentions"
    return "follow" if _FOLLOW_WISH.fullmatch(words) else None


def is_reaction(text: str) -> bool:
    """Whether a text asks nothing and only reacts: thanks, agreement, praise, or emoji alone.

    A text with a question mark asks something.
    """
    if len(text) > MAX_PHRASE_CHARACTERS or _asks(text):
        return False
    words = normalised_words(_EMOJI_NAME.sub(" ", text))
    return not words or _REACTION.fullmatch(words) is not None


def _asks(text: str) -> bool:
    return "?" in text or "\uff1f" in text
