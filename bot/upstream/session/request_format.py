"""The wire format and the optional fields of an answer's requests. Pure: time is an argument.

An option or format that a server refuses is left out of the next request, without delay. It is
remembered for later answers only once a request without it was accepted. So a mistaken guess
affects one request, and not all requests of a day.
"""

from __future__ import annotations

from bot.errors import UpstreamError
from bot.upstream.capabilities import RESUMING_HOSTS, Capabilities, matches_host
from bot.upstream.config import UpstreamConfig
from bot.upstream.events import ApiFormat
from bot.upstream.prompt import Prompt
from bot.upstream.requests.bodies import CHAT_OPTIONS, RESPONSES_OPTIONS, chat_body, responses_body
from bot.upstream.session.rejections import (
    NO_ENDPOINT_STATUSES,
    means_no_chat_api,
    means_no_pictures,
    means_no_responses_api,
    rejected_option,
)


class RequestFormat:
    """How one answer is requested; adapts as the server refuses options or the format.

    After a refusal call `adapt_to`, and ask again if it returns true. Call `confirm` when a request
    was accepted.
    """

    def __init__(
        self,
        prompt: Prompt,
        config: UpstreamConfig,
        capabilities: Capabilities,
        now: float,
    ) -> None:
        self.format: ApiFormat = "responses" if config.api == "auto" else config.api
        self._prompt = prompt
        self._config = config
        self._capabilities = capabilities
        self._rejections: dict[str, UpstreamError] = {}
        no_responses = self._is_unsupported("responses", now) and not self._is_unsupported(
            "chat", now
        )
        if config.api == "auto" and no_responses:
            self.format = "chat"
        self._options = {
            name for name in self._preferred_options() if not self._is_unsupported(name, now)
        }
        if config.background == "auto" and self._is_unsupported("resume", now):
            self._options.discard("background")  # of no use without resuming, and slower

    @property
    def path(self) -> str:
        """The path to post to, below the base URL."""
        return "/responses" if self.format == "responses" else "/chat/completions"

    @property
    def options(self) -> frozenset[str]:
        """The optional fields that are sent in this format."""
        known = RESPONSES_OPTIONS if self.format == "responses" else CHAT_OPTIONS
        return known & self._options

    @property
    def leaves_out_pictures(self) -> bool:
        """Whether the prompt has pictures that are not sent."""
        return bool(self._prompt.pictures) and "pictures" not in self._options

    def body(self) -> bytes:
        """Return the request's body."""
        write = responses_body if self.format == "responses" else chat_body
        config = self._config
        return write(
            self._prompt, config.model, self.options, config.max_output_tokens, config.reasoning
        )

    def adapt_to(self, error: UpstreamError) -> bool:
        """Leave out the option, or change the format, that the server refuses with `error`. False
        if the error refuses neither."""
        if option := rejected_option(error, self.options):
            self._options.discard(option)
            if option != "pictures" or means_no_pictures(error):
                self._rejections[option] = error
            return True
        if self._config.api != "auto":
            return False
        other: ApiFormat = "chat" if self.format == "responses" else "responses"
        lacks = means_no_responses_api if self.format == "responses" else means_no_chat_api
        if other in self._rejections or not lacks(error):
            return False
        self._rejections[self.format] = error
        self.format = other
        return True

    def error_to_report(self, error: UpstreamError) -> UpstreamError:
        """Return the first format's error when the second format has no endpoint, else `error`."""
        other = "responses" if self.format == "chat" else "chat"
        first = self._rejections.get(other)
        if first is not None and (error.status in NO_ENDPOINT_STATUSES or means_no_chat_api(error)):
            return first
        return error

    def confirm(self, now: float) -> frozenset[str]:
        """Remember what was left out of a request that the server has accepted, and return it."""
        left_out = frozenset(self._rejections)
        for ability in self._rejections:
            self._capabilities.mark_unsupported(
                self._config.base_url, self._config.model, ability, now
            )
        if self._rejections:
            self._capabilities.clear_unsupported(
                self._config.base_url, self._config.model, self.format
            )
            self._rejections.clear()
        return left_out

    def _is_unsupported(self, ability: str, now: float) -> bool:
        return self._capabilities.is_unsupported(
            self._config.base_url, self._config.model, ability, now
        )

    def _preferred_options(self) -> set[str]:
        """The options to send at first; `background` only where the server documents it."""
        documented = matches_host(self._config.host, RESUMING_HOSTS)
        wanted = {"store", "usage", *(["pictures"] if self._prompt.pictures else [])}
        if self._prompt.thread_pseudonym:
            wanted.add("cache_key")
        if self._prompt.person_pseudonym:
            wanted.add("safety_identifier")
        if self._prompt.rounds:
            wanted.add("whole_rounds")
        if self._prompt.tools:  # reasoning goes back only with tool results
            wanted.add("include")
        if documented:
            wanted.add("obfuscation")
        if self._prompt.hosted_tools:
            wanted.add("hosted_tools")
        if self._config.max_output_tokens is not None:
            wanted |= {"max_output_tokens", "max_completion_tokens", "max_tokens"}
        if self._config.reasoning.effort:
            wanted.add("reasoning_effort")
        if self._config.reasoning.summary:
            wanted.add("reasoning_summary")
        if self._config.background == "on":
            wanted.add("background")
        if self._config.background == "auto" and documented:
            wanted.add("background")
        return wanted
