"""What a server turned out not to support, remembered for a day. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable

# Servers change, and a refusal may have been misread: try again after a day.
MEMORY_SECONDS = 24 * 3600.0

# Azure's names for the resources that serve models.
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# Servers documented to answer `background` streams that can be resumed
# (docs/upstream.md#servers-that-resume, docs/upstream.md#tokenlab-endpoints).
RESUMING_HOSTS = ("api.openai.com", *AZURE_HOSTS, ".tokenlab.sh")
# Servers whose `GET /models/{id}` does not list wire formats: not asked.
HOSTS_WITHOUT_FORMATS = ("api.openai.com", *AZURE_HOSTS)

# Names of wire formats in `tokenlab.accepted_request_formats`
# (docs/upstream.md#tokenlab-endpoints).
CAPABILITY_BY_FORMAT = {"openai_responses": "responses", "openai_chat_completions": "chat"}


class Capabilities:
    """Remembers which abilities a model at a server lacks; shared by all answers of a process.

    Abilities are the wire formats, the options of `request_format`, "resume" and "cancel". `now` is
    always a monotonic clock in seconds.
    """

    def __init__(self) -> None:
        self._unsupported: dict[tuple[str, str, str], float] = {}
        self._formats_asked_at: dict[tuple[str, str], float] = {}

    def mark_unsupported(self, base_url: str, model: str, ability: str, now: float) -> None:
        """Remember that the model lacks an ability; model "" means every model of the server."""
        self._unsupported[base_url, model, ability] = now

    def is_unsupported(self, base_url: str, model: str, ability: str, now: float) -> bool:
        """Return whether the model, or the whole server, is known to lack the ability."""
        return any(
            now - since < MEMORY_SECONDS
            for key in ((base_url, model, ability), (base_url, "", ability))
            if (since := self._unsupported.get(key)) is not None
        )

    def has_asked_formats(self, base_url: str, model: str, now: float) -> bool:
        """Return whether, within the last day, the server was asked which formats it accepts."""
        since = self._formats_asked_at.get((base_url, model))
        return since is not None and now - since < MEMORY_SECONDS

    def learn_formats(
        self,
        base_url: str,
        model: str,
        formats: tuple[str, ...] | None,
        now: float,
    ) -> None:
        """Remember the formats a server lists for a model; None if it lists none."""
        self._formats_asked_at[base_url, model] = now
        if formats is None:
            return
        for name, ability in CAPABILITY_BY_FORMAT.items():
            if name in formats:
                self.clear_unsupported(base_url, model, ability)
            else:
                self.mark_unsupported(base_url, model, ability, now)

    def clear_unsupported(self, base_url: str, model: str, ability: str) -> None:
        """Forget that the model lacks the ability."""
        self._unsupported.pop((base_url, model, ability), None)


def matches_host(host: str, patterns: Iterable[str]) -> bool:
    """Return whether `host` matches a pattern; a leading dot matches every subdomain."""
    return any(host == name or (name[0] == "." and host.endswith(name)) for name in patterns)
