"""The modal of *Ask about this*, within Slack's limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.blocks import check_view
from bot.playground.slack.limits import Limits
from bot.render.shortcuts import Audience, ask_about_view, message_deleted_view
from bot.values import Subject
from bot.words import Language, Phrase, say

AUDIENCES: tuple[Audience, ...] = ("choice", "only_me", "our_dm")


def quote(view: dict[str, Any]) -> list[str]:
    return [element["text"] for element in view["blocks"][0]["elements"]]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_slack_takes_the_modal(language: Language, audience: Audience) -> None:
    view = ask_about_view("{}", Subject("1.0", "U1", "word " * 1000), language, audience)
    check_view(view, Limits())
    assert all(len(view[name]["text"]) <= 24 for name in ("title", "submit", "close"))
    check_view(message_deleted_view(language), Limits())


@given(st.text(), st.sampled_from(AUDIENCES))
def test_slack_takes_the_modal_for_any_message(text: str, audience: Audience) -> None:
    view = ask_about_view("{}", Subject("1.0", "U1", text), Language.ENGLISH, audience)
    check_view(view, Limits())
    assert view["blocks"][0]["elements"][-1]["type"] == "plain_text"


def test_quote_names_the_author_and_has_no_markup() -> None:
    about = Subject("1.0", "U1", "*Ship* it\n<!channel>")
    view = ask_about_view("{}", about, Language.ENGLISH, "choice")
    assert quote(view)[0] == "<@U1>:"
    assert quote(view)[1].startswith("Ship it")
    assert view["blocks"][0]["elements"][1]["type"] == "plain_text"


def test_message_of_a_bot_is_quoted_without_an_author() -> None:
    view = ask_about_view("{}", Subject("1.0", "B1", "Build failed"), Language.ENGLISH, "choice")
    assert quote(view) == ["Build failed"]


def test_message_without_text_is_named() -> None:
    view = ask_about_view("{}", Subject("1.0", "B1", ""), Language.ENGLISH, "choice")
    assert quote(view) == [say(Language.ENGLISH, Phrase.ASK_ABOUT_NO_WORDS)]


def test_choice_begins_with_everybody() -> None:
    view = ask_about_view("{}", Subject("1.0"), Language.ENGLISH, "choice")
    choice = view["blocks"][-1]["element"]
    assert choice["initial_option"]["value"] == "everybody"
    assert [option["value"] for option in choice["options"]] == ["everybody", "only_me"]


def test_private_modal_says_why_there_is_no_choice() -> None:
    view = ask_about_view("{}", Subject("1.0"), Language.ENGLISH, "only_me")
    [line] = view["blocks"][-1]["elements"]
    assert line["text"] == say(Language.ENGLISH, Phrase.ASK_ABOUT_PRIVATELY)
