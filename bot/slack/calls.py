"""Makes a call of the Web API: one function for all methods, with translated errors and metrics.

Nothing is retried here: only the caller can say whether repeating a write is safe
(docs/slack.md#sdk-retries). Rate limits are kept by the callers.
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
"""What slack_sdk raises for a reply that is not a JSON object, has an unknown charset, or is nested
too deeply (RecursionError)."""


CallCounter: TypeAlias = Callable[[str, str], None]
"""Called with the method and the outcome of each call."""


def no_call_metrics(method: str, outcome: str) -> None:
    """Count nothing."""


class WebApi:
    """Calls methods of the Web API with one bot token; see `Slack` for `on_call`.

    `identity` is set by the first `auth.test`. Until then metadata that is read counts only with a
    valid signature.
    """

    def __init__(
        self, token: str, *, base_url: str, session: aiohttp.ClientSession, on_call: CallCounter
    ) -> None:
        # No retry handlers: slack_sdk's default one repeats posts that Slack may have accepted.
        self.web = AsyncWebClient(token, base_url=base_url, session=session, retry_handlers=[])
        if is_loopback(base_url):
            self.web.proxy = None  # slack_sdk reads a proxy from the environment, but no NO_PROXY
        self.identity: Identity | None = None
        self._metadata_signer = MetadataSigner(token)
        self._on_call = on_call

    async def call(
        self,
        method: str,
        *,
        verb: str = "POST",
        **arguments: Any,
    ) -> AsyncSlackResponse:
        """Call a method; arguments that are None are left out. Raises SlackError.

        Outgoing metadata is signed. Metadata without a valid signature is removed from messages
        that are read.
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
            raise self.report_failure(error_of_exception(method, e)) from e
        self.report_success(method)
        if given.get("include_all_metadata") and isinstance(answer.data, dict):
            messages = answer.data.get("messages") or ()
            answer.data["messages"] = [
                self._metadata_signer.without_unverified_metadata(one, self.identity)
                for one in messages
            ]
        return answer

    def report_success(self, method: str) -> None:
        """Count a call that succeeded."""
        self._on_call(method, "ok")

    def report_failure(self, error: SlackError) -> SlackError:
        """Count a failed call, and return its error for the caller to raise."""
        self._on_call(error.method, outcome_label(error))
        return error


def raise_if_outside_thread(method: str, answer: AsyncSlackResponse) -> None:
    """Raise `ThreadGone` if a message for a thread was posted outside of it.

    If the root of the thread was deleted, Slack ignores `thread_ts` and posts at the top level of
    the channel; only the returned message shows that. A reply without a message is accepted.
    """
    message = answer.get("message")
    if isinstance(message, dict) and message and not message.get("thread_ts"):
        raise ThreadGone(method, [str(answer.get("ts") or message.get("ts") or "")])


def blocks_as_objects(blocks: Blocks | None) -> Any:
    """Return blocks as objects, the only form that Slack accepts in a JSON body."""
    return json.loads(blocks) if isinstance(blocks, str) else blocks
