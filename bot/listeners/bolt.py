"""Bolt as we use it: it reads no environment, looks nothing up, and acknowledges everything.

What is not acknowledged Slack sends again, so also what nobody listens to is. A listener is given
time to hand on what it heard before Slack is told: what is acknowledged is in good hands.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.refusal_notices import RefusalNotices
from bot.listeners.tenancy import is_for_tenant, user_id_of
from bot.slack import Identity

log = logging.getLogger(__name__)

MAX_ACK_SECONDS = 2.5
"""How long a listener that has acknowledged may work on before Slack, which waits three seconds
(docs/slack.md#acknowledgement), is told."""

OTHER_WORKSPACE_TEXT = (
    "I only answer in the workspace that runs me: ask its people to install me here too."
)
_EPHEMERAL = {"response_type": "ephemeral"}


def bolt_app(
    client: AsyncWebClient,
    identity: Identity,
    signing_secret: str | None,
    *,
    ack_seconds: float = MAX_ACK_SECONDS,
) -> AsyncApp:
    """Bolt for one workspace's bot. The signing secret is needed in HTTP mode only."""
    us = AuthorizeResult(
        enterprise_id=None,
        team_id=identity.team_id,
        bot_user_id=identity.user_id,
        bot_id=identity.bot_id,
        bot_token=client.token,
    )

    async def authorize() -> AuthorizeResult:
        return us

    with _without_slack_variables():
        app = _BoltApp(
            ack_seconds,
            logger=logging.getLogger("slack_bolt"),
            client=client,
            authorize=authorize,
            signing_secret=signing_secret,
            raise_error_for_unhandled_request=True,  # so that `_acknowledge` learns of it
            process_before_response=True,  # else events are acknowledged before they are read
            # it would read threads by itself (docs/slack.md#bolt-middleware)
            attaching_conversation_kwargs_enabled=False,
        )
    app.error(_acknowledge)
    app.use(
        _TenantFilter(identity.tenant_ids)
    )  # after Bolt has checked the signature, before any listener
    return app


class _BoltApp(AsyncApp):
    """Answers when the listener is done, and 400 to a payload that Bolt itself stumbles over."""

    def __init__(self, ack_seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._ack_seconds = ack_seconds
        self._deliveries: set[asyncio.Task[BoltResponse]] = set()  # the loop holds them weakly

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Hand one delivery to its listener; give what Slack is answered, in time if it can be."""
        handling = asyncio.create_task(self._handle_delivery(req))
        self._deliveries.add(handling)
        handling.add_done_callback(self._deliveries.discard)
        done, _ = await asyncio.wait({handling}, timeout=self._ack_seconds)
        early = req.context.ack.response
        return early if not done and early else await asyncio.shield(handling)

    async def _handle_delivery(self, req: AsyncBoltRequest) -> BoltResponse:
        try:
            response = await super().async_dispatch(req)
        except Exception:  # whatever Slack, or another, sends must not end us
            log.warning("a delivery could not be read", exc_info=True)
            return BoltResponse(status=400)
        return BoltResponse(status=400) if response.status >= 500 else response


class _TenantFilter:
    """Lets payloads of our own workspace and organisation through, and acknowledges all others.

    Who typed a command elsewhere is told once what is wrong; events and presses of another
    workspace name no place that our token could write to.
    """

    def __init__(self, tenant_ids: frozenset[str]) -> None:
        self._tenant_ids = tenant_ids
        self._refusal_notices = RefusalNotices()

    async def __call__(
        self, body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> BoltResponse | None:
        if is_for_tenant(body, self._tenant_ids):
            await next_()
            return None
        kind = str(body.get("type") or body.get("command") or "")
        log.info("a payload of another workspace was refused", extra={"kind": kind})
        person = f"{body.get('team_id')}:{user_id_of(body)}"
        if "command" in body and self._refusal_notices.mark_told(person):
            return BoltResponse(status=200, body={"text": OTHER_WORKSPACE_TEXT, **_EPHEMERAL})
        return BoltResponse(status=200)


async def _acknowledge(error: Exception) -> BoltResponse | None:
    if isinstance(error, BoltUnhandledRequestError):
        return BoltResponse(status=200)
    log.error("a listener failed", exc_info=error)
    return None


@contextmanager
def _without_slack_variables() -> Iterator[None]:
    """Bolt reads tokens and OAuth secrets from the environment too; settings are ours to read."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("SLACK_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
