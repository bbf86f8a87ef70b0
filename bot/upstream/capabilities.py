"""What a server turned out not to do, remembered for a day. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable

# A server learns new things, and a refusal may have been a mistake: ask again after a day.
MEMORY_SECONDS = 24 * 3600.0

# Azure's names for the resources that serve models.
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# Servers documented to answer `background` streams that can be resumed
# (docs/upstream.md#servers-that-resume, docs/upstream.md#tokenlab-endpoints).
RESUMING_HOSTS = ("api.openai.com", *AZURE_HOSTS, ".tokenlab.sh")
# Servers whose `GET /models/{id}` says nothing of wire formats: not asked.
HOSTS_WITHOUT_FORMATS = ("api.openai.com", *AZURE_HOSTS)

# Names of wire formats in `tokenlab.accepted_request_formats`
# (docs/upstream.md#tokenlab-endpoints).
CAPABILITY_BY_FORMAT = {"openai_responses": "responses", "openai_chat_completions": "chat"}


class Capabilities:
    """Latches by server, model and ability; one object may serve many configurations."""

    def __init__(self) -> None:
        self._unsupported: dict[tuple[str, str, str], float] = {}
        self._formats_asked_at: dict[tuple[str, str], float] = {}

    def mark_unsupported(self, base_url: str, model: str, ability: str, now: float) -> None:
        """Remember that this model there (or, with model "", that server) can't do it."""
        self._unsupported[base_url, model, ability] = now

    def is_unsupported(self, base_url: str, model: str, ability: str, now: float) -> bool:
        """Return whether it is known not to work, by the model or by the whole server."""
        return any(
            now - since < MEMORY_SECONDS
            for key in ((base_url, model, ability), (base_url, "", ability))
            if (since := self._unsupported.get(key)) is not None
        )

    def has_asked_formats(self, base_url: str, model: str, now: float) -> bool:
        """Return whether the server was asked lately which formats the model takes."""
        since = self._formats_asked_at.get((base_url, model))
        return since is not None and now - since < MEMORY_SECONDS

    def learn_formats(
        self,
        base_url: str,
        model: str,
        formats: tuple[str, ...] | None,
        now: float,
    ) -> None:
        """Remember what the server said of a model's formats; None: it did not say."""
        self._formats_asked_at[base_url, model] = now
        if formats is None:
            return
        for name, ability in CAPABILITY_BY_FORMAT.items():
            if name in formats:
                self.clear_unsupported(base_url, model, ability)
            else:
                self.mark_unsupported(base_url, model, ability, now)

    def clear_unsupported(self, base_url: str, model: str, ability: str) -> None:
        """It worked, or we were told otherwise."""
        self._unsupported.pop((base_url, model, ability), None)


def matches_host(host: str, patterns: Iterable[str]) -> bool:
    """Return whether `host` matches a pattern; a leading dot matches every subdomain."""
    return any(host == name or (name[0] == "." and host.endswith(name)) for name in patterns)
