"""The requests of the page: `POST /play/…`, with JSON bodies and replies.

Every answer is `{"ok": true}`, or `{"ok": false, "error": "a sentence"}` with status 400.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields
from typing import Any

from aiohttp import web

from bot.playground.board import Board, Faults
from bot.playground.page import present, typed
from bot.playground.page.guard import HEADERS, BadRequest, body_of, guarded, optional, wanted
from bot.playground.page.names import Names
from bot.playground.process import BotProcess
from bot.playground.slack.refused import Refused
from bot.playground.slack.workspace import NotThere, Workspace

Body = Mapping[str, Any]

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")  # the tags browsers send
_FAULTS = frozenset(each.name for each in fields(Faults))


class PageActions:
    """What a person does on the page, applied to the workspace, the board and the bot."""

    def __init__(
        self,
        workspace: Workspace,
        bot: BotProcess,
        board: Board,
        commands: frozenset[str],
        shortcuts: frozenset[str],
    ) -> None:
        """`commands` are the names of slash commands, `shortcuts` the callback ids of shortcuts."""
        self._workspace, self._bot, self._board = workspace, bot, board
        self._commands, self._shortcuts = commands, shortcuts

    async def say(self, body: Body) -> None:
        """A message, or a command when it begins with a slash."""
        written, channel = wanted(body, "text", str), wanted(body, "channel", str)
        thread = optional(body, "thread_ts", str)
        if not written.strip():
            raise BadRequest("There is nothing to send.")
        found = typed.command(written)
        if found is None:
            said = typed.with_ids(written, self._names)
            self._workspace.say(channel, said, user=self._user(body), thread_ts=thread)
            return
        if thread:
            raise BadRequest(f"{found[0]} is not supported in threads. Sorry!")
        self._type_command(channel, *found, self._user(body))

    async def command(self, body: Body) -> None:
        """A slash command, its name and its text apart."""
        channel, name = wanted(body, "channel", str), wanted(body, "command", str)
        self._type_command(channel, name, optional(body, "text", str) or "", self._user(body))

    async def edit(self, body: Body) -> None:
        """Edit an own message."""
        channel, ts = self._own(body)
        said = typed.with_ids(wanted(body, "text", str), self._names)
        self._workspace.edit(channel, ts, said, user=self._user(body))

    async def delete(self, body: Body) -> None:
        """Delete an own message."""
        self._workspace.delete(*self._own(body))

    async def invite(self, body: Body) -> None:
        """The bot is brought into a channel."""
        self._workspace.invite(wanted(body, "channel", str), user=self._user(body))

    async def press(self, body: Body) -> None:
        """A button, or a choice in a menu, of a message or a view."""
        self._workspace.press(
            user=self._user(body),
            channel=optional(body, "channel", str),
            message_ts=optional(body, "message_ts", str),
            view_id=optional(body, "view_id", str),
            block_id=wanted(body, "block_id", str),
            action_id=wanted(body, "action_id", str),
            value=body.get("value"),
        )

    async def shortcut(self, body: Body) -> None:
        """A shortcut of the app, chosen in the menu of a message."""
        channel, ts = wanted(body, "channel", str), wanted(body, "ts", str)
        callback_id = wanted(body, "callback_id", str)
        if callback_id not in self._shortcuts:
            raise BadRequest(f"The app has no shortcut named {callback_id[:35]}.")
        self._workspace.use_shortcut(channel, ts, callback_id, user=self._user(body))

    async def stop(self, body: Body) -> None:
        """Slack's own Stop, in a thread the bot is at work in."""
        channel, thread = wanted(body, "channel", str), wanted(body, "thread_ts", str)
        self._workspace.stop(channel, thread, self._user(body))

    async def submit(self, body: Body) -> None:
        """A modal with its inputs."""
        values = wanted(body, "values", dict)
        self._workspace.submit(wanted(body, "view_id", str), values, self._user(body))

    async def close(self, body: Body) -> None:
        """A modal is left."""
        self._workspace.close_view(wanted(body, "view_id", str), self._user(body))

    async def home(self, body: Body) -> None:
        """A tab of the bot's home is opened."""
        self._workspace.open_home(self._user(body), optional(body, "tab", str) or "home")

    async def locale(self, body: Body) -> None:
        """The language of a person's browser becomes that of their Slack."""
        locale = wanted(body, "locale", str)
        if not _LOCALE.fullmatch(locale):
            raise BadRequest(f"{locale[:35]} is not a language tag.")
        self._workspace.use_locale(locale, user=self._user(body))

    async def fault(self, body: Body) -> None:
        """Activate or clear faults."""
        unknown = sorted(set(body) - _FAULTS)
        if unknown:
            raise BadRequest(f"There is no fault named {unknown[0]}.")
        self._board.set_faults(**{name: _fault(name, value) for name, value in body.items()})
        self._board.note("fault", "set", **body)

    async def crash(self, body: Body) -> None:
        """The bot is killed and started again."""
        await self._bot.crash()

    async def restart(self, body: Body) -> None:
        """The bot is asked to end, and started again."""
        await self._bot.restart()

    async def refresh(self, body: Body) -> None:
        """Slack asks the bot to open its socket anew."""
        self._board.note("fault", "socket refresh")
        self._workspace.refresh_sockets()

    def table(self) -> dict[str, Callable[[Body], Awaitable[None]]]:
        """The methods above by the last part of their URL."""
        return {
            "say": self.say,
            "command": self.command,
            "edit": self.edit,
            "delete": self.delete,
            "invite": self.invite,
            "press": self.press,
            "shortcut": self.shortcut,
            "stop": self.stop,
            "submit": self.submit,
            "close": self.close,
            "home": self.home,
            "locale": self.locale,
            "fault": self.fault,
            "crash": self.crash,
            "restart": self.restart,
            "refresh": self.refresh,
        }

    @property
    def _names(self) -> Names:
        return present.names(self._workspace, self._workspace.me.id)

    def _type_command(self, channel: str, name: str, text: str, user: str | None) -> None:
        if name not in self._commands:
            raise BadRequest(f"{name} is not a valid command.")
        self._workspace.command(channel, name, text, user=user)

    def _user(self, body: Body) -> str | None:
        user = optional(body, "user", str)
        if user and user not in self._workspace.users:
            raise BadRequest(f"There is no user {user}.")
        return user

    def _own(self, body: Body) -> tuple[str, str]:
        channel, ts = wanted(body, "channel", str), wanted(body, "ts", str)
        found = self._workspace.message(channel, ts)
        if found is None or found.user != (self._user(body) or self._workspace.me.id):
            raise BadRequest("Only a message of your own can be changed.")
        return channel, ts


def add_actions(app: web.Application, actions: PageActions) -> None:
    """Add a route for each method of `PageActions`."""
    for name, action in actions.table().items():
        app.router.add_post(f"/play/{name}", guarded(_route(action)))


def _route(action: Callable[[Body], Awaitable[None]]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        body = await body_of(request)
        try:
            await action(body)
        except NotThere as missing:
            raise BadRequest(f"That is not there any more: {missing}.") from None
        except Refused as refused:
            raise BadRequest(f"Slack refuses: {refused.code}.") from None
        return web.json_response({"ok": True}, headers=HEADERS)

    return handle


def _fault(name: str, value: object) -> object:
    """A fault's value, in its range: fractions of a text, HTTP statuses, small counts."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in ("drop_at", "stall_at"):
        fits = value is None or (number and 0 <= float(str(value)) <= 1)
    elif name == "drop_seconds":
        fits = number and 0 <= float(str(value)) <= 60
    elif name.endswith("_status"):
        fits = value == 0 or (isinstance(value, int) and 400 <= value <= 599)
    else:
        fits = isinstance(value, int) and number and 0 <= value <= 100
    if not fits:
        raise BadRequest(f"{name} cannot be {value!r}.")
    return value
