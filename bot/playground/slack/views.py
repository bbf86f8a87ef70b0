"""Home tabs, stacks of modals, and the trigger ids that allow opening one. No network.

Rules: https://docs.slack.dev/surfaces/modals (at most three views in a stack, a `trigger_id` is
good once and for three seconds).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from bot.playground.slack.records import APP, TEAM, Json
from bot.playground.slack.refused import Refused

TRIGGER_SECONDS = 3.0
STACK = 3

Tell = Callable[[str, Json], None]


class Views:
    """Every person's home tab and modals; tells about each change."""

    def __init__(self, tell: Tell, bot_id: str) -> None:
        self._tell = tell
        self._bot_id = bot_id
        self._homes: dict[str, Json] = {}
        self._stacks: dict[str, list[Json]] = {}
        self._triggers: dict[str, tuple[str, float]] = {}

    def trigger(self, user: str, now: float) -> str:
        """A new `trigger_id` for what `user` just did."""
        trigger_id = f"{int(now * 1000)}.{len(self._triggers)}.{uuid.uuid4().hex}"
        self._triggers[trigger_id] = (user, now + TRIGGER_SECONDS)
        return trigger_id

    def home(self, user: str) -> Json | None:
        """What the app published for `user`."""
        return self._homes.get(user)

    def modal(self, user: str) -> Json | None:
        """The view on top of the user's stack."""
        stack = self._stacks.get(user)
        return stack[-1] if stack else None

    def find(self, view_id: str) -> tuple[str, Json] | None:
        """Whose view it is, and the view: a home tab or any of a stack."""
        for user, view in self._homes.items():
            if view["id"] == view_id:
                return user, view
        for user, stack in self._stacks.items():
            for view in stack:
                if view_id in (view["id"], view["external_id"] or None):
                    return user, view
        return None

    def publish(self, user: str, given: Json, hash_: str = "") -> Json:
        """Replace the user's home tab. Raises `Refused("hash_conflict")` when it moved on."""
        before = self._homes.get(user)
        if hash_ and before and hash_ != before["hash"]:
            raise Refused("hash_conflict")
        view = self._record(given, view_id=before["id"] if before else "")
        self._homes[user] = view
        self._tell("home", {"user": user, "view": view})
        return view

    def open(self, trigger_id: str, given: Json, now: float, *, push: bool = False) -> Json:
        """Open a modal, or put one on top. Raises `Refused` for a bad trigger or a full stack."""
        user = self._exchange(trigger_id, now)
        stack = self._stacks.setdefault(user, []) if push else []
        if push and not stack:
            raise Refused("invalid_arguments", "there is no view to push onto")
        if len(stack) >= STACK:
            raise Refused("push_limit_reached")
        view = self._record(given, below=stack[-1] if stack else None)
        stack.append(view)
        self._stacks[user] = stack
        self._show(user)
        return view

    def put(self, user: str, given: Json) -> Json:
        """Push a view as the answer to a submission, which needs no trigger."""
        stack = self._stacks.setdefault(user, [])
        view = self._record(given, below=stack[-1] if stack else None)
        stack.append(view)
        self._show(user)
        return view

    def update(self, view_id: str, given: Json, hash_: str = "") -> Json:
        """Replace a view in place. Raises `Refused("not_found")` or `("hash_conflict")`."""
        found = self.find(view_id)
        if found is None:
            raise Refused("not_found")
        user, before = found
        if hash_ and hash_ != before["hash"]:
            raise Refused("hash_conflict")
        after = self._record(given, view_id=before["id"])
        after |= {name: before[name] for name in ("root_view_id", "previous_view_id")}
        if before["type"] == "home":
            self._homes[user] = after
            self._tell("home", {"user": user, "view": after})
        else:
            stack = self._stacks[user]
            stack[stack.index(before)] = after
            self._show(user)
        return after

    def close(self, user: str, *, all_of_them: bool = False) -> None:
        """Take the top view away, or all."""
        stack = self._stacks.get(user, [])
        del stack[0 if all_of_them else -1 :]
        self._show(user)

    def answer(self, user: str, view_id: str, body: Json) -> None:
        """Do what the acknowledgement of a submission asks for; {} closes the view."""
        match body.get("response_action"):
            case "errors":
                self.complain(user, body.get("errors") or {})
            case "update":
                self.update(view_id, body["view"])
            case "push":
                self.put(user, body["view"])
            case "clear":
                self.close(user, all_of_them=True)
            case _:
                self.close(user)

    def complain(self, user: str, errors: Json) -> None:
        """Show errors beside the inputs of the top view; keys are block ids."""
        self._show(user, errors=errors)

    def _show(self, user: str, **more: Any) -> None:
        self._tell("modal", {"user": user, "view": self.modal(user)} | more)

    def _exchange(self, trigger_id: str, now: float) -> str:
        if not trigger_id:
            raise Refused("invalid_arguments", "missing required field: trigger_id")
        if trigger_id not in self._triggers:
            raise Refused("invalid_trigger_id")
        user, until = self._triggers[trigger_id]
        if until == 0:
            raise Refused("exchanged_trigger_id")
        if now > until:
            raise Refused("expired_trigger_id")
        self._triggers[trigger_id] = (user, 0)
        return user

    def _record(self, given: Json, *, view_id: str = "", below: Json | None = None) -> Json:
        view_id = view_id or "V" + uuid.uuid4().hex[:10].upper()
        return {
            "id": view_id,
            "team_id": TEAM,
            "type": given.get("type"),
            "title": given.get("title"),
            "submit": given.get("submit"),
            "close": given.get("close"),
            "blocks": given.get("blocks", []),
            "private_metadata": given.get("private_metadata", ""),
            "callback_id": given.get("callback_id", ""),
            "external_id": given.get("external_id", ""),
            "state": {"values": {}},
            "hash": uuid.uuid4().hex[:18],
            "clear_on_close": bool(given.get("clear_on_close")),
            "notify_on_close": bool(given.get("notify_on_close")),
            "root_view_id": below["root_view_id"] if below else view_id,
            "previous_view_id": below["id"] if below else None,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": self._bot_id,
        }
