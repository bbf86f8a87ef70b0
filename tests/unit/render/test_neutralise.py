"""Nothing a model or a person writes is live."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.message import render_messages
from bot.render.safety.neutralise import (
    escape_mrkdwn,
    neutralise,
    neutralise_line,
    replace_control_characters,
)
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.render.reference_reader import paragraphs, styled, texts

LIVE = re.compile(
    r"<\\*(?:!(?:(?i:channel|here|everyone|group)(?![\w-])|subteam\^S|date\^[0-9])"
    r"|@[UWB][A-Z0-9]{6}|#[CGD][A-Z0-9]{6})"
)
LABELLED = re.compile(r"<\\*[a-z][a-z0-9+.-]*:[^<>\n]*\|", re.IGNORECASE)

ATTACKS = (
    "<", ">", "!", "@", "#", "|", "&lt;", "&gt;", "&#60;", "&#x3c;", "&amp;", "&LT", "&#33;", "\\",
    "`", "``", "```", "\n", "\n\n", "    ", "- ", "> ", "| ", "*", "**", "_", "~~", "[", "](", ")",
    "channel", "here", "everyone", "subteam^S1|@ops", "date^1^{date}|x", "U123ABC", "C123ABC|x",
    "https://evil.com", "https://a.bc|bank.com", "mailto:a@b.cd|x", "<!channel>", "<@U123ABC>",
    "<b>", "<!-- -->", "\u200b", "\u200d", "\u00ad", "\u202e", "\x00", "\r", "\t", "&#124;",
)  # fmt: skip

attacks = st.lists(st.sampled_from(ATTACKS), max_size=20).map("".join)


def live_forms(text: str, pattern: re.Pattern[str] = LIVE) -> str:
    """Return what is live in a text, however often somebody decodes its entities."""
    for _ in range(4):
        if found := pattern.search(text):
            return found[0]
        text = html.unescape(text)
    return ""


def strings(value: object) -> Iterator[str]:
    """Yield every string of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


@pytest.mark.parametrize(
    "text",
    [
        "<!channel> hello",
        "<!here|here>",
        "<!subteam^S012|@ops>",
        "<!date^1^{date}|x>",
        "<@U012ABC>",
        "<#C012ABC|general>",
        "&lt;!channel&gt;",
        "&#60;!channel&#62;",
        "&#x3C;&#33;channel>",
        "&amp;lt;!channel>",
        "<\\!channel>",
        "<\x00!channel>",
        "`<!channel>`",
        "```\n<!channel>\n<@U012ABC>\n```",
        "    <!channel>",
        "| <!channel> | <@U012ABC> |\n|---|---|\n",
        "**<!channel>** _<@U012ABC>_ ~~<!here>~~",
        "# <!channel>",
        "> <!channel>",
        "[<!channel>](https://example.com)",
        "[a](https://example.com '<!channel>')",
        "![<!channel>](https://example.com/i.png)",
        "[ref]: <!channel>",
    ],
)
def test_neutralise_breaks_what_slack_would_act_on(text: str) -> None:
    assert live_forms(text) or "\x00" in text
    assert not live_forms(neutralise(text))
    assert not live_forms(neutralise_line(text))
    assert not live_forms(escape_mrkdwn(text))


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c <= d, 3 <4, x <- y",
        "Vec<T> and <details> and <x/>",
        "<https://example.com/a?b=c> <mailto:a@b.cd> <a@b.cd>",
        "AT&T & Söhne, &#42;stars&#42; &amp;lt; &lt",
        "`Vec<&str>` `<!-- note -->` `<!DOCTYPE html>` `a[i](x)` `<a|b>`",
        "```\n<!DOCTYPE html>\n<!-- c -->\nif (a < b && c <d>) x <<= 1; <# note #>\n```",
        "a @channel !here #general",
        "[a](https://example.com) [b](mailto:x@y.zz)",
        "- [ ] open\n- [x] done [1], [note] x[0]",
    ],
)
def test_neutralise_keeps_harmless_text(text: str) -> None:
    assert neutralise(text) == text


def test_neutralise_does_not_change_the_look_of_a_text() -> None:
    text = "`<!channel>` and <@U012ABC> <x>y</x>"
    assert neutralise(text).replace("\u200b", "") == text


def test_neutralise_breaks_tags_that_hide_text() -> None:
    assert neutralise("<pre> <Script> <?x") == "<\u200bpre> <\u200bScript> <\u200b?x"


def test_escape_mrkdwn_escapes_and_neutralise_does_not() -> None:
    assert escape_mrkdwn("a < b & c > d") == "a &lt; b &amp; c &gt; d"


def test_replace_control_characters_keeps_the_length() -> None:
    text = "a\r\nb\x00c\x1b[0m\ud83d\u2028\x0b"
    assert replace_control_characters(text) == "a \nb\ufffdc\ufffd[0m\ufffd\u2028 "


@given(st.one_of(attacks, texts))
@settings(max_examples=120, deadline=None)
@example("<[!channel](https://a.bc)>")
@example("<\nhttps://a.bc|bank.com")
@example("<\n!channel>")
def test_neutralise_leaves_nothing_live_in_any_text(text: str) -> None:
    safe = neutralise(text)
    assert not live_forms(safe)
    assert not any(live_forms(paragraph) for paragraph in paragraphs(safe))
    prose = "".join(piece for piece, styles in styled(safe) if "code" not in styles)
    assert not live_forms(prose, LABELLED)
    assert not live_forms(neutralise_line(text))
    assert not live_forms(neutralise_line(text), LABELLED)


@given(st.one_of(attacks, texts))
@settings(max_examples=100, deadline=None)
@example('<a href="https://a.bc">b\u202a</a>')
@example("&lt;`](>`")
@example("https://a.b/c**" * 900)
def test_neutralise_is_idempotent(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@given(st.one_of(attacks, texts))
@settings(max_examples=80, deadline=None)
def test_neutralise_only_adds_breaks_if_nothing_is_rewritten(text: str) -> None:
    if not re.search(r"\]\(|[a-z]:|www\.|[@&]|<[a-z/]|[\u202a-\u202e]", text, re.IGNORECASE):
        shown = neutralise(text).replace("\u200b", "")
        assert shown.replace("!", "") == replace_control_characters(text).replace(
            "\u200b", ""
        ).replace("!", "")


@given(attacks, attacks, st.sampled_from(Phase), st.data())
@settings(max_examples=80, deadline=None)
def test_neutralise_leaves_nothing_live_at_any_cut(
    text: str, note: str, phase: Phase, data: st.DataObject
) -> None:
    text *= 1 + 1200 // (len(text) + 1)
    length = data.draw(st.integers(0, len(text)))
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=3))
    draft = Draft(phase, text[:length], note.replace("<@U", "<@Q"))
    for body in render_messages(
        draft, question_id="q", language=EN, max_bytes=1_000, cuts=cuts, question=text[:90]
    ):
        assert not live_forms(body.text)
        assert not live_forms(" ".join(strings(json.loads(body.blocks))))
