"""Which values of the settings are secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import GROUPS, load_settings
from bot.settings.secrets import secret_values


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> frozenset[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return secret_values(load_settings(Path("/nowhere/.env")))


def test_secret_values_include_every_variable_typed_as_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    typed = {
        str(field.validation_alias): f"value-of-{field.validation_alias}"
        for group in GROUPS
        for field in group.model_fields.values()
        if SecretStr in getattr(field.annotation, "__args__", (field.annotation,))
        and field.validation_alias != "DATABASE_URL"
    }
    assert {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "UPSTREAM_API_KEY"} <= set(typed)
    assert set(typed.values()) <= given(monkeypatch, **typed)


@pytest.mark.parametrize(
    ("variable", "value", "secrets"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://me:p%40ss@db/bot", {"p%40ss", "p@ss"}),
        ("DATABASE_URL", "postgresql+asyncpg://db/bot?user=me&password=pw12", {"pw12"}),
        ("UPSTREAM_BASE_URL", "https://model.example/v1?api-key=k123", {"k123"}),
        ("UPSTREAM_BASE_URL", "https://model.example/v1?code=c123&v=1", {"c123"}),
        ("SLACK_API_URL", "https://tok9@slack.example/api/", {"tok9"}),
        ("SLACK_API_URL", "https://me:p4ss@slack.example/api/", {"p4ss"}),
        (
            "HOSTED_TOOLS",
            '[{"type":"mcp","server_url":"https://mcp.example/sse?api_key=k7","x-api-key":"k8"}]',
            {"k7", "k8"},
        ),
        (
            "HOSTED_TOOLS",
            '[{"type":"mcp","authorization":"tok1","headers":{"X-Key":"Bearer tok2"}}]',
            {"tok1", "Bearer tok2", "tok2"},
        ),
    ],
)
def test_secret_values_include_secret_parts_of_values(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, secrets: set[str]
) -> None:
    found = given(monkeypatch, **{variable: value})
    assert secrets <= found
    assert "" not in found
    assert "mcp" not in found
