from __future__ import annotations

import pytest

from bot.playground.model.conversation import Called, Conversation, Returned, Said, spoken


@pytest.mark.parametrize(
    ("sent", "name", "text"),
    [
        ("Ada: hello", "Ada", "hello"),
        ("ada: hello", "ada", "hello"),
        ("Ada Winter: what is this?", "Ada Winter", "what is this?"),
        ("Zoë O'Neil-Ruiz: hi", "Zoë O'Neil-Ruiz", "hi"),
        ('From person U1, named "Ada":\n> hello\n> there', "Ada", "hello\nthere"),
        ('From app B1, named "a \\"b\\"":\n> Ben: hi', 'a "b"', "Ben: hi"),
        ('From app B1, named "\\q":\n> hi', '"\\q"', "hi"),
        ("From person U1:\n> hello", "", "hello"),
        ("hello", "", "hello"),
        ("Translate: hello", "", "Translate: hello"),
        ("echo: a: b", "", "echo: a: b"),
        ("see https://example.com", "", "see https://example.com"),
        ("12:30 is fine", "", "12:30 is fine"),
        ("write a poem: short", "", "write a poem: short"),
    ],
)
def test_leading_name_is_the_speaker(sent: str, name: str, text: str) -> None:
    assert spoken(sent) == Said("user", text, name)


def test_name_field_leaves_the_text_unchanged() -> None:
    assert spoken("Ben: hi", "Ada") == Said("user", "Ben: hi", "Ada")


def test_last_answer_has_all_parts_of_the_answer_before_the_question() -> None:
    talk = Conversation(
        (
            Said("user", "one"),
            Said("assistant", "first"),
            Said("user", "two"),
            Said("assistant", "second, part one"),
            Said("assistant", "part two"),
            Said("user", "thanks", "Ben"),
            Said("user", "three", "Ada"),
        )
    )
    assert talk.question.text == "three"
    assert talk.last_answer == "second, part one\n\npart two"
    assert [said.text for said in talk.earlier] == ["one", "two", "thanks"]
    assert talk.before_last_answer.question.text == "two"


def test_empty_conversation_has_an_empty_question() -> None:
    empty = Conversation(())
    assert (empty.question.text, empty.last_answer, empty.earlier, empty.results) == (
        "",
        "",
        (),
        (),
    )
    assert empty.before_last_answer.turns == ()


def test_tool_results_count_only_since_the_question() -> None:
    old, new = Called("1", "now", "{}"), Called("2", "now", "{}")
    talk = Conversation(
        (
            Said("user", "a"),
            old,
            Returned("1", "noon"),
            Said("user", "b"),
            new,
            Returned("2", "night"),
        )
    )
    assert talk.results == ((new, Returned("2", "night")),)
