from __future__ import annotations

from typing import Any

import pytest

from bot.playground.slack import blocks
from bot.playground.slack.limits import Limits
from bot.playground.slack.refused import Refused


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _markdown(length: int) -> dict[str, Any]:
    return {"type": "markdown", "text": "x" * length}


def _button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": "Stop"}, **more}


def _actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def _header(length: int) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": "x" * length}}


def _context(count: int) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * count}


def _refusal(*given: Any, **args: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        blocks.content({"blocks": list(given), **args}, Limits())
    return caught.value


def _feedback(**negative: Any) -> dict[str, Any]:
    button = {"text": {"type": "plain_text", "text": "x"}, "value": "v"}
    return {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": button,
        "negative_button": button | negative,
    }


@pytest.mark.parametrize(
    "given",
    [
        [_section("x" * 3_000)],
        [_header(150)],
        [_context(10)],
        [_actions(*(_button(action_id=str(n)) for n in range(25)))],
        [{"type": "divider"}] * 50,
        [_markdown(12_000)],
        [_markdown(6_000), _markdown(6_000)],
        [{"type": "rich_text", "elements": []}],
        [{"type": "image", "image_url": "https://x.test/a.png", "alt_text": "a"}],
        [{"type": "context_actions", "elements": [_feedback()]}],
    ],
    ids=lambda given: f"{len(given)} {given[0]['type']}",
)
def test_blocks_at_the_limit_are_taken(given: list[dict[str, Any]]) -> None:
    assert len(blocks.content({"blocks": given}, Limits()).blocks) == len(given)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            [_section("x" * 3_001)],
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ),
        ([_section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        (
            [{"type": "section"}],
            "must define either `text` or `fields` [json-pointer:/blocks/0]",
        ),
        ([_header(151)], "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
        ([_context(11)], "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
        (
            [_actions(*[_button()] * 26)],
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
        ),
        ([_actions()], "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
        (
            [_actions(_button(action_id="a"), _button(action_id="a"))],
            "`action_id` a already exists [json-pointer:/blocks/0/elements/1/action_id]",
        ),
        (
            [_actions(_button(value="x" * 2_001))],
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
        ),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
        ([{"type": "nonsense"}], "unsupported type: nonsense [json-pointer:/blocks/0/type]"),
        (
            [_markdown(12_001)],
            "must be less than 12001 characters [json-pointer:/blocks/0/text]",
        ),
        ([_markdown(0)], "must be more than 0 characters [json-pointer:/blocks/0/text]"),
        (
            [{"type": "divider", "block_id": "b"}] * 2,
            '"b" already exists [json-pointer:/blocks/1/block_id]',
        ),
        (
            [{"type": "image", "image_url": "https://x.test/a.png"}],
            "missing required field: alt_text [json-pointer:/blocks/0]",
        ),
        (
            [{"type": "context_actions", "elements": [_button()]}],
            "unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
        ),
        (
            [{"type": "context_actions", "elements": [{"type": "feedback_buttons"}]}],
            "missing required field [json-pointer:/blocks/0/elements/0/positive_button]",
        ),
        (
            [{"type": "context_actions", "elements": [_feedback(value="")]}],
            "missing required field: value [json-pointer:/blocks/0/elements/0/negative_button]",
        ),
        (
            [{"type": "context_actions", "elements": [_feedback(value="x" * 2_001)]}],
            "must be less than 2001 characters "
            "[json-pointer:/blocks/0/elements/0/negative_button/value]",
        ),
        (
            [{"type": "context_actions", "elements": [_feedback(accessibility_label="x" * 76)]}],
            "must be less than 76 characters "
            "[json-pointer:/blocks/0/elements/0/negative_button/accessibility_label]",
        ),
        (
            [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        ),
    ],
)
def test_invalid_blocks_are_refused_with_a_pointer(
    given: list[dict[str, Any]], problem: str
) -> None:
    refusal = _refusal(*given)
    assert refusal.code == "invalid_blocks"
    assert problem in refusal.messages
    body = refusal.body()
    assert body["errors"] == list(refusal.messages)
    assert f"[ERROR] {problem}" in body["response_metadata"]["messages"]


def test_markdown_over_all_blocks_of_a_payload_counts_together() -> None:
    assert _refusal(_markdown(6_001), _markdown(6_000)).code == "msg_blocks_too_long"


def test_text_of_a_message_is_limited_over_all_blocks() -> None:
    assert _refusal(*[_section("x" * 2_700)] * 5).code == "msg_blocks_too_long"


@pytest.mark.parametrize("given", ["text", [1], [["x"]], {"type": "divider"}], ids=repr)
def test_blocks_that_are_not_a_list_of_objects_are_refused(given: Any) -> None:
    with pytest.raises(Refused, match="invalid_blocks_format"):
        blocks.content({"blocks": given}, Limits())


@pytest.mark.parametrize("args", [{}, {"text": ""}, {"text": "", "blocks": []}], ids=repr)
def test_message_without_content_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="no_text"):
        blocks.content(args, Limits())


def test_post_is_cut_at_forty_thousand_characters_with_a_warning() -> None:
    content = blocks.content({"text": "x" * 40_001}, Limits())
    assert (len(content.text), content.warning) == (40_000, "message_truncated")


@pytest.mark.parametrize(
    ("text", "fits"),
    [("x" * 4_000, True), ("x" * 4_001, False), ("é" * 2_000, True), ("é" * 2_001, False)],
    ids=["4000 letters", "4001 letters", "4000 bytes", "4002 bytes"],
)
def test_update_takes_four_thousand_bytes_of_text(text: str, fits: bool) -> None:
    if fits:
        assert blocks.content({"text": text}, Limits(), update=True).text == text
    else:
        with pytest.raises(Refused, match="msg_too_long"):
            blocks.content({"text": text}, Limits(), update=True)


def test_markdown_text_becomes_a_markdown_block() -> None:
    content = blocks.content({"markdown_text": "**x**"}, Limits())
    assert content.blocks == ({"block_id": "b0", "type": "markdown", "text": "**x**"},)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"markdown_text": "x", "text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": "x", "blocks": [{"type": "divider"}]}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
    ],
)
def test_markdown_text_stands_alone_and_has_its_limit(args: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=code):
        blocks.content(args, Limits())


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ("x", "must be an object [json-pointer:/view]"),
        ({"type": "home"}, "missing required field: blocks [json-pointer:/view]"),
        ({"type": "card", "blocks": []}, "unsupported type [json-pointer:/view/type]"),
        ({"type": "modal", "blocks": []}, "missing required field [json-pointer:/view/title]"),
        (
            {"type": "home", "blocks": [{"type": "divider"}] * 101},
            "no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
        (
            {"type": "home", "blocks": [], "private_metadata": "x" * 3_001},
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
    ],
    ids=["text", "no blocks", "type", "title", "count", "metadata"],
)
def test_invalid_view_is_refused_as_invalid_arguments(view: Any, problem: str) -> None:
    with pytest.raises(Refused, match="invalid_arguments") as caught:
        blocks.check_view(view, Limits())
    assert problem in caught.value.messages


def test_view_takes_no_feedback_buttons() -> None:
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "x"},
        "blocks": [{"type": "context_actions", "elements": [_feedback()]}],
    }
    with pytest.raises(Refused) as refusal:
        blocks.check_view(view, Limits())
    assert refusal.value.messages == (
        "unsupported type: context_actions [json-pointer:/view/blocks/0/type]",
    )
