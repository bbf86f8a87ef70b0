"""`views.*`: home tabs and modals.

https://docs.slack.dev/reference/methods/views.publish and its neighbours. They need no scope.
"""

from __future__ import annotations

from bot.playground.slack import blocks
from bot.playground.slack.call import Call, Method, Methods
from bot.playground.slack.records import Json
from bot.playground.slack.refused import Refused


def publish(call: Call) -> Json:
    """Replace a person's home tab."""
    user, view = str(call.need("user_id")), _view(call)
    if user not in call.workspace.users:
        raise Refused("user_not_found")
    if view.get("type") != "home":
        raise Refused("invalid_arguments", "must be a home view [json-pointer:/view/type]")
    return {"view": call.workspace.views.publish(user, view, call.text("hash"))}


def opened(call: Call) -> Json:
    """Open a modal."""
    return _open(call, push=False)


def pushed(call: Call) -> Json:
    """Put a modal on top of the one that is open."""
    return _open(call, push=True)


def update(call: Call) -> Json:
    """Replace a view in place."""
    view_id = call.text("view_id") or call.text("external_id")
    if not view_id:
        raise Refused("invalid_arguments", "missing required field: view_id")
    view = _view(call)
    return {"view": call.workspace.views.update(view_id, view, call.text("hash"))}


def _open(call: Call, *, push: bool) -> Json:
    view, now = _view(call), call.workspace.board.clock()
    if view.get("type") != "modal":
        raise Refused("invalid_arguments", "must be a modal [json-pointer:/view/type]")
    views = call.workspace.views
    return {"view": views.open(call.text("trigger_id"), view, now, push=push)}


def _view(call: Call) -> Json:
    view: Json = call.need("view")
    blocks.check_view(view, call.limits)
    return {**view, "blocks": list(blocks.numbered(view["blocks"]))}


METHODS: Methods = {
    "views.publish": Method(publish),
    "views.open": Method(opened),
    "views.push": Method(pushed),
    "views.update": Method(update),
}
