from __future__ import annotations

from bot.words import Phrase, say, sentence
from tests.support.words import EN, ZH


def test_say_fills_in_the_fields() -> None:
    assert say(EN, Phrase.STOPPED_BY, user="U1") == "Stopped by <@U1>"
    assert say(ZH, Phrase.STOPPED_BY, user="U1") == "已由 <@U1> 停止"


def test_say_never_reads_braces_in_a_value() -> None:
    assert say(EN, Phrase.STOPPED_BY, user="{user.x}{0}") == "Stopped by <@{user.x}{0}>"


def test_say_chooses_the_plural_by_the_number() -> None:
    one, many = (say(EN, Phrase.ALL_EARLIER_LEFT_OUT, missing=n) for n in (1, 1200))
    assert one == "The 1 message before this question did not fit and was left out"
    assert many == "The 1,200 messages before this question did not fit and were left out"


def test_sentence_as_a_field_is_said_in_the_same_language() -> None:
    inner = sentence(Phrase.ABOUT, count=1200)
    fields = {"newest": 3, "missing": 1200, "count": inner, "total": inner}
    assert "of about 1,200 messages" in say(EN, sentence(Phrase.OLDER_LEFT_OUT, **fields))
    assert "约 1,200 条消息" in say(ZH, sentence(Phrase.OLDER_LEFT_OUT, **fields))


def test_phrase_as_a_field_is_said_in_the_same_language() -> None:
    said = sentence(Phrase.WITH_REFERENCE, message=Phrase.NO_TEXT, reference="abc")
    assert say(ZH, said) == "模型没有写出任何回答。（编号 abc）"


def test_sentences_with_equal_phrase_and_fields_are_equal() -> None:
    assert sentence(Phrase.ABOUT, count=3) == sentence(Phrase.ABOUT, count=3)
    assert sentence(Phrase.ABOUT, count=3) != sentence(Phrase.ABOUT, count=4)
