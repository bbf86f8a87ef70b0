"""Everything we send has the shape Slack sends it in: no key Slack does not know, and of its type.

Compared with the fields its documentation names, and where the recordings are beside the project,
with all fields Slack ever sent, as recorded by its Java SDK. Blocks, views' inputs and
metadata are the sender's own and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.workspace import Workspace
from tests.support.shared_data import corpora, shape
from tests.unit.playground.live import BOT, DM, GENERAL, YOU, LiveSlack
from tests.unit.playground.slack.offline_workspace import OfflineWorkspace

FREE = frozenset({"blocks", "state", "actions", "metadata", "text", "title", "submit", "close"})
# In other recordings and in the documentation (https://docs.slack.dev/apis/events-api).
NEWER = frozenset({"context_team_id", "context_enterprise_id", "parent_user_id", "response_urls"})


def _strange(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """Paths of ours that Slack's payload does not have, or has as something else."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name in theirs and name not in FREE:
                yield from _strange(value, theirs[name], f"{at}/{name}")
            elif name not in theirs and name not in NEWER | FREE:
                yield f"{at}/{name}"
    elif isinstance(ours, list) and isinstance(theirs, list):
        for value in ours:
            yield from _strange(value, theirs[0], f"{at}/0") if theirs else ()
    elif ours is not None and theirs is not None and _kind(ours) is not _kind(theirs):
        yield f"{at}: {type(ours).__name__}"


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)


def _mention(w: Workspace) -> None:
    w.say(GENERAL, f"<@{BOT}> hello")


def _reply(w: Workspace) -> None:
    w.say(DM, "hello", thread_ts=w.say(DM, "root").ts)


def _changed(w: Workspace) -> None:
    w.edit(GENERAL, w.say(GENERAL, "helo").ts, "hello")


def _deleted(w: Workspace) -> None:
    w.delete(GENERAL, w.say(GENERAL, "helo").ts)


def _home(w: Workspace) -> None:
    w.views.publish(YOU, {"type": "home", "blocks": []})
    w.open_home()


def _command(w: Workspace) -> None:
    w.command(GENERAL, "/ask", "why?")


ELEMENT = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
BLOCKS = ({"type": "actions", "block_id": "row", "elements": [ELEMENT]},)


def _press(w: Workspace) -> None:
    message = w.change(w.say(GENERAL, "x"), blocks=BLOCKS)
    w.press(channel=GENERAL, message_ts=message.ts, block_id="row", action_id="stop")


def _submit(w: Workspace) -> None:
    w.submit(str(w.views.put(YOU, {"type": "modal", "blocks": []})["id"]), {})


@corpora
@pytest.mark.parametrize(
    ("act", "recorded"),
    [
        (_mention, "events/AppMentionPayload"),
        (_reply, "events/MessagePayload"),
        (_changed, "events/MessageChangedPayload"),
        (_deleted, "events/MessageDeletedPayload"),
        (_home, "events/AppHomeOpenedPayload"),
        (lambda w: w.invite("C00000RANDOM"), "events/MemberJoinedChannelPayload"),
        (_command, "app-backend/slash-commands/SlashCommandPayload"),
        (_press, "app-backend/interactive-components/BlockActionPayload"),
        (_submit, "app-backend/views/ViewSubmissionPayload"),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else "",
)
def test_deliveries_have_the_recorded_shape(
    offline: OfflineWorkspace, act: Any, recorded: str, corpus: str
) -> None:
    act(offline.workspace)
    sent: Delivery = offline.last()
    theirs = shape(corpus, recorded)
    if sent.kind == "slash_commands":  # a form: every field is text
        theirs = dict.fromkeys(theirs, "")
    assert list(_strange(sent.body, theirs)) == []


@corpora
@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("auth.test", {}),
        ("apps.connections.open", {"token": "xapp-playground"}),
        ("chat.postMessage", {"channel": GENERAL, "text": "x"}),
        ("chat.postEphemeral", {"channel": GENERAL, "user": YOU, "text": "x"}),
        ("chat.getPermalink", {"channel": GENERAL, "message_ts": "1800000000.000000"}),
        ("conversations.open", {"users": YOU, "return_im": True}),
        ("conversations.info", {"channel": GENERAL}),
        ("conversations.members", {"channel": GENERAL, "limit": 1}),
        ("conversations.history", {"channel": GENERAL}),
        ("conversations.replies", {"channel": GENERAL, "ts": "1800000000.000000"}),
        ("users.info", {"user": BOT}),
        ("bots.info", {"bot": "B0000000BOT"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_replies_have_the_recorded_shape(
    slack: LiveSlack, method: str, args: dict[str, Any], corpus: str
) -> None:
    theirs = shape(corpus, f"api/{'conversations.replies' if 'history' in method else method}")
    body = await slack.api(method, **args)
    assert body["ok"], body
    assert list(_strange(body, theirs | {"ok": True, "pin_count": 0})) == []
