"""`response_url`: how often, how long, and what it may replace."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.playground.slack.records import Json
from tests.unit.playground import live
from tests.unit.playground.live import GENERAL, RANDOM, YOU, Clock, LiveSlack

BLOCKS = [
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "button",
                "action_id": "show",
                "text": {"type": "plain_text", "text": "Show as it is written"},
            },
        ],
    },
]


async def _respond(slack: LiveSlack, url: str, **body: Any) -> tuple[int, Json | str]:
    async with slack.session.post(url, json=body) as response:
        if response.content_type == "application/json":
            return response.status, await response.json()
        return response.status, await response.text()


def _url(slack: LiveSlack, channel: str = GENERAL) -> str:
    """The address a command brings."""
    return slack.workspace.response_urls.give(channel, YOU)


def _pressed(slack: LiveSlack, channel: str, ts: str) -> str:
    """The address a press of the button in a message brings."""
    workspace = slack.workspace
    message = workspace.message(channel, ts) or workspace.whisper(channel, ts)
    return workspace.response_urls.give(channel, YOU, message)


def _whispers(slack: LiveSlack) -> list[str]:
    return [message.text for message in slack.workspace.whispers(GENERAL, YOU)]


async def test_response_url_can_be_used_five_times(slack: LiveSlack) -> None:
    url = _url(slack)
    answers = [await _respond(slack, url, text=str(number)) for number in range(6)]
    assert answers[:5] == [(200, "ok")] * 5
    assert answers[5] == (404, {"ok": False, "error": "used_url"})
    assert _whispers(slack) == ["0", "1", "2", "3", "4"]


async def test_response_url_expires_after_thirty_minutes(slack: LiveSlack, clock: Clock) -> None:
    url = _url(slack)
    clock.now += 30 * 60
    assert (await _respond(slack, url, text="just in time"))[0] == 200
    clock.now += 1
    late = await _respond(slack, url, text="late")
    assert late == (404, {"ok": False, "error": "expired_url"})


async def test_response_url_of_a_command_never_replaces_a_message(slack: LiveSlack) -> None:
    url = _url(slack)
    await _respond(slack, url, text="one")
    await _respond(slack, url, text="two", replace_original=True)
    assert _whispers(slack) == ["one", "two"]


async def test_response_url_of_a_press_replaces_and_deletes_an_ephemeral_message(
    slack: LiveSlack,
) -> None:
    posted = await slack.api(
        "chat.postEphemeral", channel=GENERAL, user=YOU, text="x", blocks=BLOCKS
    )
    url = _pressed(slack, GENERAL, posted["message_ts"])
    for text in ("a", "b"):
        await _respond(slack, url, text=text, replace_original=True)
    assert _whispers(slack) == ["b"]
    await _respond(slack, url, delete_original=True)
    assert _whispers(slack) == []
    assert slack.announced("ephemeral_deleted") == [
        {"channel": GENERAL, "user": YOU, "ts": posted["message_ts"]},
    ]


async def test_response_url_of_a_press_adds_an_ephemeral_message_unless_it_replaces(
    slack: LiveSlack,
) -> None:
    posted = await slack.api("chat.postMessage", channel=GENERAL, text="x", blocks=BLOCKS)
    url = _pressed(slack, GENERAL, posted["ts"])
    await _respond(slack, url, text="for you")
    await _respond(slack, url, text="new", replace_original=True)
    assert _whispers(slack) == ["for you"]
    standing = slack.workspace.message(GENERAL, posted["ts"])
    assert standing is not None
    assert (standing.text, standing.blocks) == ("new", ())


async def test_response_url_works_in_channels_without_the_bot(slack: LiveSlack) -> None:
    url = _url(slack, RANDOM)
    await _respond(slack, url, text="hello all", response_type="in_channel")
    last = slack.workspace.messages(RANDOM)[-1]
    assert (last.text, last.subtype, last.only_for) == ("hello all", "bot_message", None)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
        ({"blocks": "x"}, "invalid_blocks_format"),
    ],
    ids=str,
)
async def test_invalid_body_is_refused_and_not_counted_as_a_use(
    slack: LiveSlack, body: dict[str, Any], error: str
) -> None:
    url = _url(slack)
    for _ in range(6):
        assert await _respond(slack, url, **body) == (400, {"ok": False, "error": error})
    assert (await _respond(slack, url, text="fine"))[0] == 200


async def test_unknown_response_url_is_used_up(slack: LiveSlack) -> None:
    status, body = await _respond(slack, f"{slack.url}/respond/unknown", text="x")
    assert (status, body) == (404, {"ok": False, "error": "used_url"})


async def test_message_stays_when_the_reply_to_a_response_url_is_lost(slack: LiveSlack) -> None:
    slack.board.set_faults(lose_every=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await _respond(slack, _url(slack), text="said")
    assert _whispers(slack) == ["said"]


async def test_response_url_uses_are_in_the_call_log(slack: LiveSlack) -> None:
    await _respond(slack, _url(slack), text="x")
    assert slack.log("slack", "response_url")[0].detail["status"] == 200
    assert [call.args for call in slack.called("response_url")] == [{"text": "x"}]
    assert isinstance(slack.called("response_url")[0], live.ApiCall)
