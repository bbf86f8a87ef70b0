"""Slack's markup in text fields, and the mentions that Slack itself marked."""

from __future__ import annotations

import pytest

from bot.render.incoming import find_mentions, mrkdwn_to_text, read_message, without_mention
from bot.render.incoming.findings import MAX_MENTIONS
from tests.unit.render.incoming.pieces import Json, mrkdwn, plain, rich, section, user


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a &amp; b", "a & b"),
        ("&amp;lt;", "&lt;"),
        ("&amp;nbsp; &copy; &#39;", "&nbsp; &copy; &#39;"),
        ("&lt;https://x.example|label&gt;", "<https://x.example|label>"),
        ("<https://x.example/?a=1&amp;b=2>", "https://x.example/?a=1&b=2"),
        ("<https://x.example|a &lt; b>", "a < b (https://x.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<tel:123|call>", "call (tel:123)"),
        ("<#C1|general> <#C2> <#C3|>", "#general #C2 #C3"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@crew> <!subteam^S2>", "@crew @group"),
        ("<!date^1720710212^{date_num} at {time}|July>", "July"),
        ("<!date^1720710212^on {date_num}>", "on 2024-07-11"),
        ("<!date^never^{date}|>", ""),
        ("<@U1|The CEO> said", "<@U1> said"),
        ("<@not-an-id|x>", "<@not-an-id|x>"),
        ("a < b", "a < b"),
        ("  spaced  ", "spaced"),
        ("", ""),
    ],
)
def test_mrkdwn_markup_is_written_out_and_entities_decoded_once(
    written: str, expected: str
) -> None:
    assert mrkdwn_to_text(written) == expected
    assert read_message({"text": written}).text == expected


@pytest.mark.parametrize(
    ("message", "mentions"),
    [
        ({"text": "<@U1> and <@W2> and <@U1>"}, ("U1", "W2")),
        ({"text": "&lt;@U1&gt; typed, <@U2> marked"}, ("U2",)),
        ({"text": "<@U1|The CEO>"}, ("U1",)),
        ({"text": "<@u1> <@UX-1> <@>"}, ()),
        ({"text": "x", "blocks": [rich(section("x <@U1> ", user("U2")))]}, ("U2",)),
        ({"blocks": [{"type": "section", "text": mrkdwn("<@U3>, <@U1>")}]}, ("U3", "U1")),
        ({"blocks": [{"type": "section", "text": plain("<@U3>")}]}, ()),
        ({"text": "", "blocks": [{"type": "markdown", "text": "<@U3|x> &lt;@U4&gt;"}]}, ("U3",)),
        ({"text": "<@U1>", "attachments": [{"footer": "<@U3>"}]}, ("U1", "U3")),
        ({"text": "", "blocks": [rich(section(user("not an id")))]}, ()),
    ],
)
def test_mrkdwn_mentions_are_the_ids_that_slack_marked(
    message: Json, mentions: tuple[str, ...]
) -> None:
    assert read_message(message).mentions == mentions


@pytest.mark.parametrize("form", ["text", "blocks", "attachments"])
def test_mrkdwn_keeps_twenty_mentions_and_all_in_the_text(form: str) -> None:
    ids = [f"U{n}" for n in range(2_000)]
    marked = " ".join(f"<@{name}>" for name in ids)
    messages: Json = {
        "text": {"text": marked},
        "blocks": {"text": "", "blocks": [rich(section(*map(user, ids)))]},
        "attachments": {"text": "", "attachments": [{"text": marked}]},
    }
    found = read_message(messages[form])
    assert found.mentions == tuple(ids[:MAX_MENTIONS])
    assert all(f"<@{name}>" in found.text for name in ids)


def test_mrkdwn_mentions_typed_by_hand_are_not_counted() -> None:
    typed = " ".join(f"&lt;@U{n}&gt;" for n in range(2_000))
    assert read_message({"text": typed}).mentions == find_mentions(typed) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@UB> hello", "hello"),
        ("<@UB|bot>, hello", "hello"),
        ("so  <@UB> hello <@UB>", "so hello"),
        ("<@U2> hello", "<@U2> hello"),
        ("a" + " " * 100_000 + "b", "a" + " " * 100_000 + "b"),
    ],
)
def test_without_mention_removes_the_mention_and_its_gap(text: str, expected: str) -> None:
    assert without_mention(text, "UB") == expected
