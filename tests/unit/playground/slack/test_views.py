"""Home tabs and modals: publish, open, push, update, and what a submission does."""

from __future__ import annotations

from typing import Any

from tests.unit.playground.live import YOU, Clock, LiveSlack

HOME = {"type": "home", "blocks": [{"type": "divider"}]}
INPUT = {
    "type": "input",
    "block_id": "name",
    "label": {"type": "plain_text", "text": "Name"},
    "element": {"type": "plain_text_input", "action_id": "typed"},
}


def _modal(title: str = "Settings", **more: Any) -> dict[str, Any]:
    text = {"type": "plain_text", "text": title}
    return {"type": "modal", "title": text, "blocks": [INPUT], **more}


def _trigger(slack: LiveSlack) -> str:
    return slack.workspace.views.trigger(YOU, slack.board.clock())


async def test_home_tab_is_published_for_one_person(slack: LiveSlack) -> None:
    body = await slack.api("views.publish", user_id=YOU, view=HOME)
    assert slack.announced("home")[0] == {"user": YOU, "view": body["view"]}
    assert slack.workspace.snapshot()["home"]["id"] == body["view"]["id"]
    stale = await slack.api("views.publish", user_id=YOU, view=HOME, hash="old")
    again = await slack.api("views.publish", user_id=YOU, view=HOME, hash=body["view"]["hash"])
    assert (stale["error"], again["view"]["id"]) == ("hash_conflict", body["view"]["id"])


async def test_view_type_must_be_home_to_publish_and_modal_to_open(slack: LiveSlack) -> None:
    home = await slack.api("views.publish", user_id=YOU, view=_modal())
    modal = await slack.api("views.open", trigger_id=_trigger(slack), view=HOME)
    assert home["error"] == modal["error"] == "invalid_arguments"
    assert (await slack.api("views.publish", user_id="U4", view=HOME))["error"] == "user_not_found"


async def test_trigger_opens_one_modal_within_three_seconds(slack: LiveSlack, clock: Clock) -> None:
    trigger_id = _trigger(slack)
    opened = await slack.api("views.open", trigger_id=trigger_id, view=_modal())
    used = await slack.api("views.open", trigger_id=trigger_id, view=_modal())
    late = _trigger(slack)
    clock.now += 3.1
    expired = await slack.api("views.open", trigger_id=late, view=_modal())
    unknown = await slack.api("views.open", trigger_id="1.2.3", view=_modal())
    assert opened["ok"]
    assert slack.workspace.snapshot()["modal"]["id"] == opened["view"]["id"]
    assert [used["error"], expired["error"], unknown["error"]] == [
        "exchanged_trigger_id",
        "expired_trigger_id",
        "invalid_trigger_id",
    ]


async def test_three_views_make_a_full_stack(slack: LiveSlack) -> None:
    await slack.api("views.open", trigger_id=_trigger(slack), view=_modal("1"))
    second = await slack.api("views.push", trigger_id=_trigger(slack), view=_modal("2"))
    await slack.api("views.push", trigger_id=_trigger(slack), view=_modal("3"))
    fourth = await slack.api("views.push", trigger_id=_trigger(slack), view=_modal("4"))
    assert second["view"]["previous_view_id"] == second["view"]["root_view_id"]
    assert fourth["error"] == "push_limit_reached"


async def test_view_is_updated_in_place(slack: LiveSlack) -> None:
    opened = await slack.api("views.open", trigger_id=_trigger(slack), view=_modal("1"))
    view_id = opened["view"]["id"]
    updated = await slack.api("views.update", view_id=view_id, view=_modal("2"))
    missing = await slack.api("views.update", view_id="V404", view=_modal("2"))
    assert updated["view"]["id"] == view_id
    assert slack.workspace.snapshot()["modal"]["title"]["text"] == "2"
    assert missing["error"] == "not_found"
