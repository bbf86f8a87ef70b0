"""A question holds everything its writer put into the message, not only `text`."""

from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.questions import parse_command, parse_message
from tests.unit.render.incoming.pieces import Json, mrkdwn, plain, rich, section, user

US = BotIdentifiers("UBOT", "BBOT")
ALERT = {"title": "CPU high", "text": "on host-1", "fallback": "CPU high"}
FORWARD = {"is_share": True, "author_name": "Ada", "text": "It is down", "id": 1}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "Tea"}, {"text": "5"}]]}
PDF = {"id": "F1", "name": "report.pdf", "pretty_type": "PDF", "size": 3}


def asked(**event: Any) -> tuple[str, tuple[str, ...]]:
    """The words and mentions of the question that a direct message asks."""
    base = {"type": "message", "user": "U1", "channel": "D1", "channel_type": "im", "ts": "1.1"}
    question = parse_message({"team_id": "T1", "event": base | event}, US)
    assert question is not None
    return question.text, question.mentions


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"text": "", "attachments": [FORWARD]}, "Forwarded message from Ada:\n> It is down"),
        (
            {"text": "<@UBOT> why?", "attachments": [ALERT]},
            "why?\n\nCPU high\non host-1",
        ),
        ({"text": "", "attachments": [{"blocks": [TABLE]}]}, "| Tea | 5 |\n| --- | --- |"),
        ({"text": "", "blocks": [{"type": "header", "text": plain("Why?")}]}, "## Why?"),
        ({"text": "see", "files": [PDF]}, "see\n\n[file: report.pdf, PDF]"),
        ({"text": "", "files": [PDF]}, ""),
        ({"text": "<@UBOT> <@U2>", "files": [PDF]}, ""),
        ({"text": "", "attachments": [FORWARD | {"text": "", "fallback": ""}]}, ""),
        ({"text": "<@UBOT> a &lt; b", "blocks": [rich(section(user("UBOT"), " a < b"))]}, "a < b"),
        ({"text": "<@UBOT>", "blocks": [rich(section(user("UBOT")))]}, ""),
    ],
)
def test_question_contains_every_part_of_its_message(event: Json, text: str) -> None:
    assert asked(**event)[0] == text


def test_question_mentions_are_those_that_slack_marked() -> None:
    typed = "&lt;@U8&gt; and <@U2|The CEO>"
    assert asked(text=typed) == ("<@U8> and <@U2>", ("U2",))
    block = {"type": "section", "text": mrkdwn(typed)}
    assert asked(text="", blocks=[block]) == ("<@U8> and <@U2>", ("U2",))


def test_command_mentions_are_those_that_slack_marked() -> None:
    form = {"text": "ask <@U2|ada> or &lt;@U3&gt;", "user_id": "U1", "channel_id": "C1"}
    question = parse_command(form, in_our_dm=False)
    assert (question.text, question.mentions) == ("ask <@U2> or <@U3>", ("U2",))
