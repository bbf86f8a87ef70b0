"""How a Web API method is called: one way in, one way to fail. How failures are told: failures.py.

Nothing is retried here: whether a write may be repeated is known only to whoever made it
(docs/slack.md#sdk-retries). No pacing either; that is delivery's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackError, ThreadGone
from bot.slack.failures import error_of_exception, outcome_label
from bot.slack.identity import Identity
from bot.slack.metadata_signer import MetadataSigner
from bot.slack.response_url import is_loopback

Blocks: TypeAlias = str | Sequence[Mapping[str, Any]]
"""Block Kit blocks, as JSON text or as objects."""

_MISREAD = (ValueError, AttributeError, LookupError, RecursionError)
"""What slack_sdk raises for a body that is no JSON object in a charset there is: it takes any for
one. RecursionError: it is nested too deep."""


def _no_call_metrics(method: str, outcome: str) -> None:
    """Stand in for nobody listening."""


class WebApiCalls:
    """The Web API for one bot token.

    `on_call(method, outcome)` is told of every call; outcome is "ok", "rate_limited",
    "unreachable" or Slack's error code.
    """

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        session: aiohttp.ClientSession,
        on_call: Callable[[str, str], None] = _no_call_metrics,
    ) -> None:
        # No retry handlers: slack_sdk's default one repeats posts that Slack may have taken.
        self.web = AsyncWebClient(token, base_url=base_url, session=session, retry_handlers=[])
        if is_loopback(base_url):
            self.web.proxy = None  # slack_sdk takes it from the environment without NO_PROXY
        self._metadata_signer = MetadataSigner(token)
        self._identity: Identity | None = None
        self._session = session
        self._on_call = on_call

    async def _call(
        self,
        method: str,
        *,
        verb: str = "POST",
        **arguments: Any,
    ) -> AsyncSlackResponse:
        """Call a method; arguments that are None are left out.

        Metadata is sealed on its way out, and counts on its way in only where it is ours.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        if "metadata" in given:
            given["metadata"] = self._metadata_signer.sign(given["metadata"])
        try:
            if verb == "GET":  # methods that read take no JSON body
                answer = await self.web.api_call(method, http_verb=verb, params=given)
            else:
                answer = await self.web.api_call(method, json=given)
        except (SlackClientError, aiohttp.ClientError, OSError, *_MISREAD) as e:
            raise self._report_failure(error_of_exception(method, e)) from e
        self._on_call(method, "ok")
        if given.get("include_all_metadata") and isinstance(answer.data, dict):
            messages = answer.data.get("messages") or ()
            answer.data["messages"] = [
                self._metadata_signer.without_unverified_metadata(one, self._identity)
                for one in messages
            ]
        return answer

    def _report_failure(self, error: SlackError) -> SlackError:
        """Tell of a failed call and hand its error back to be raised."""
        self._on_call(error.method, outcome_label(error))
        return error


def raise_if_outside_thread(method: str, answer: AsyncSlackResponse) -> None:
    """Raise `ThreadGone` if a message that was meant for a thread stands outside of any.

    Slack ignores a `thread_ts` whose root has been deleted and posts at the top level of the
    channel; only the message it returns shows that. An answer without a message proves nothing.
    """
    message = answer.get("message")
    if isinstance(message, dict) and message and not message.get("thread_ts"):
        raise ThreadGone(method, [str(answer.get("ts") or message.get("ts") or "")])


def blocks_as_objects(blocks: Blocks | None) -> Any:
    """Return blocks as objects: Slack takes a JSON body's blocks only so."""
    return json.loads(blocks) if isinstance(blocks, str) else blocks
