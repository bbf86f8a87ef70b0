"""Who a message speaks to: its text and blocks say so, the type of its event does not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.payloads.addressing import BotIdentifiers, mentions_any
from bot.listeners.payloads.questions import parse_command, parse_mention, parse_message

US = BotIdentifiers("UBOT", "BBOT")
OURS, THEIRS = {"type": "user", "user_id": "UBOT"}, {"type": "user", "user_id": "U0C"}
CODE = {"style": {"code": True}}


def body(kind: str = "app_mention", **event: Any) -> dict[str, Any]:
    base = {"type": kind, "user": "U1", "channel": "C1", "ts": "1.0", "text": ""}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": base | event}


def rich(*elements: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


LISTED = {"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [OURS]}]}
TO_US = [
    {"text": "<@UBOT> why?"},
    {"text": "why, <@UBOT|bot>?"},
    {"text": "<@WBOT> why?"},
    {"text": "<@U0C> and <@UBOT>, why?"},
    {"text": "&gt; <@U0C> said so\n<@UBOT> is that right?"},
    {"text": "`x = 1` <@UBOT> why?"},
    {"blocks": [rich(OURS, words(" why?"))]},
    {"blocks": [{"type": "rich_text", "elements": [LISTED]}]},
    {"blocks": [section("<@UBOT> why?")]},
    {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "<@UBOT> why?"}]}]},
    {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "<@UBOT>"}]}]},
    {"blocks": [{"type": "markdown", "text": "<@UBOT> why?"}]},
    {"blocks": [{"type": "table", "rows": [[rich(OURS)]]}]},
]
TO_OTHERS = [
    {"text": "<@U0C> can you take that one?"},
    {"text": "<@UBOTS> why?"},
    {"text": "UBOT, why?"},
    {"text": "&lt;@UBOT&gt; why?"},
    {"text": ""},
    {"text": None},
    {"text": "&gt; <@UBOT> why?\nWhat do you all think?"},
    {"text": "&gt;&gt;&gt; So she wrote:\n<@UBOT> why?"},
    {"text": "Write `<@UBOT> why?` to ask."},
    {"text": "Write\n```\n<@UBOT> why?\n```\nto ask."},
    {"blocks": [rich(THEIRS, words(" can you take that one?"))]},
    {"blocks": [rich(OURS, kind="rich_text_quote"), rich(words("What do you think?"))]},
    {"blocks": [rich(OURS, kind="rich_text_preformatted")]},
    {"blocks": [rich(OURS | CODE)]},
    {"blocks": [section("<@UBOT> why?", "plain_text")]},
    {"blocks": [{"type": "actions", "elements": [section("<@UBOT>")]}]},
    {"attachments": [{"text": "<@UBOT> why?", "is_share": True}], "text": "Look!"},
    {"attachments": [{"is_msg_unfurl": True, "message_blocks": [rich(OURS)]}]},
    {"attachments": [{"blocks": [rich(OURS)], "fallback": "<@UBOT>"}]},
    {"blocks": "<@UBOT>"},
    {"blocks": [None, 7, {"type": ["user"]}, {"type": "user"}]},
]


@pytest.mark.parametrize("kind", ["app_mention", "message"])
@pytest.mark.parametrize("said", TO_US, ids=str)
def test_mention_in_the_message_s_own_text_is_a_question(said: dict[str, Any], kind: str) -> None:
    assert (parse_mention if kind == "app_mention" else parse_message)(
        body(kind, **said), US
    ) is not None


@pytest.mark.parametrize("kind", ["app_mention", "message"])
@pytest.mark.parametrize("said", TO_OTHERS, ids=str)
def test_mention_outside_the_message_s_own_text_is_ignored(said: dict[str, Any], kind: str) -> None:
    assert parse_mention(body(kind, **said), US) is None
    assert parse_message(body(kind, **said), US) is None


@pytest.mark.parametrize("said", [*TO_US, *TO_OTHERS], ids=str)
def test_direct_message_needs_no_mention(said: dict[str, Any]) -> None:
    assert parse_message(body("message", channel="D1", channel_type="im", **said), US) is not None


def test_mention_is_found_in_deeply_nested_blocks() -> None:
    block: dict[str, Any] = OURS
    for _ in range(5000):
        block = {"type": "rich_text_section", "elements": [block]}
    assert parse_mention(body(blocks=[block], text="<@UBOT>"), US) is not None
    assert mentions_any({"blocks": [block]}, {"UBOT"})


def test_mention_of_the_user_id_in_authorizations_counts() -> None:
    named = {"authorizations": [{"team_id": "T1", "user_id": "W111", "is_bot": True}]}
    asked = parse_mention(body(text="<@W111> why?") | named, US)
    assert asked is not None
    assert asked.text == "why?"
    person = {"authorizations": [{"team_id": "T1", "user_id": "W111", "is_bot": False}]}
    assert parse_mention(body(text="<@W111> why?") | person, US) is None


@pytest.mark.parametrize("text", ["<@WBOT> why?", "<@UBOT|The CEO> why?", "<@UBOT> why? <@WBOT>"])
def test_question_text_leaves_out_the_mention_of_the_bot(text: str) -> None:
    asked = parse_mention(body(text=text), US)
    assert asked is not None
    assert asked.text == "why?"


def test_question_text_comes_from_the_blocks_if_only_they_mention_us() -> None:
    asked = parse_mention(body(blocks=[rich(OURS, words(" why?"))]), US)
    assert asked is not None
    assert asked.text == "why?"


@pytest.mark.parametrize(
    ("beside", "names"),
    [
        ({"files": [{"id": "F1", "name": "report.pdf", "filetype": "pdf"}]}, ("report.pdf (PDF)",)),
        ({"files": [{"id": "F1", "title": "A", "pretty_type": "Plain Text"}]}, ("A (Plain Text)",)),
        ({"files": [{"id": "F1", "mode": "hidden_by_limit"}, None]}, ("a file that is gone",)),
        ({"files": "F1"}, ()),
        ({"attachments": [{"is_share": True}]}, ("an empty forwarded message",)),
        ({"attachments": [{"text": "A preview", "from_url": "https://x.example"}]}, ()),
    ],
)
def test_question_names_its_unreadable_parts(
    beside: dict[str, Any], names: tuple[str, ...]
) -> None:
    asked = parse_message(body("message", channel="D1", **beside), US)
    assert asked is not None
    assert asked.unreadable == names


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"team_id": "T1"}, {"team_id": "T2"}),
        ({"authorizations": [{"team_id": "T1"}]}, {"authorizations": [{"team_id": "T2"}]}),
        ({"context_team_id": "T1"}, {"context_team_id": "T2"}),
        ({"context_team_id": "T1", "authorizations": []}, {"team_id": "T2"}),
        ({"authorizations": "?", "context_team_id": "T1"}, {"authorizations": ["?"]}),
    ],
)
def test_idempotency_keys_differ_between_workspaces_that_share_a_channel(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    said = body(text="<@UBOT> why?", client_msg_id="c") | {"team_id": "T2"}
    one, other = parse_mention(said | ours, US), parse_mention(said | theirs, US)
    assert one is not None
    assert other is not None
    assert (one.place.team, other.place.team) == ("T1", "T2")
    assert one.id != other.id
    assert not set(one.keys) & set(other.keys)


def test_idempotency_keys_of_commands_differ_between_workspaces() -> None:
    form = {"trigger_id": "1.2", "user_id": "U1", "channel_id": "C1", "text": "why?"}
    one, other = (parse_command(form | {"team_id": team}, in_our_dm=False) for team in ("T1", "T2"))
    assert one.id != other.id
    assert not set(one.keys) & set(other.keys)


def test_idempotency_key_of_an_event_has_the_format_of_older_versions() -> None:
    asked = parse_mention(body(text="<@UBOT> why?"), US)
    assert asked is not None
    assert "event:T1:Ev1" in asked.keys
