"""Finds the secret values of the settings, to be masked in logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from bot.settings import Settings

_CREDENTIAL_WORDS = ("authorization", "headers", "key", "token", "password", "secret", "credential")
"""Words in names of a hosted tool's fields that hold credentials."""

_QUERY_CREDENTIAL_WORDS = (
    "key",
    "token",
    "password",
    "secret",
    "sig",
    "code",
    "auth",
    "credential",
)
"""Words in names of query parameters that hold credentials."""


def secret_values(settings: Settings) -> frozenset[str]:
    """All secret values of the settings, and the secret parts of URLs in them."""
    found = set(_secrets_in_hosted_tools(settings.tools.hosted))
    for group in (getattr(settings, field.name) for field in fields(settings)):
        for value in dict(group).values():
            if isinstance(value, SecretStr):
                found |= {value.get_secret_value(), *_secrets_in_url(value.get_secret_value())}
    for address in (settings.upstream.base_url, settings.slack.api_url):
        found |= set(_secrets_in_url(address))
    return frozenset(filter(None, found))


def _secrets_in_url(address: str) -> Iterator[str]:
    """The password of a URL, or its user if it has no password, and credentials in its query.

    The password is given as it is, and percent-decoded.
    """
    try:
        parts = urlsplit(address)
        secret = parts.password or parts.username
    except ValueError:
        return
    if secret:
        yield from (secret, unquote(secret))
    for name, value in parse_qsl(parts.query):
        if any(word in name.lower() for word in _QUERY_CREDENTIAL_WORDS):
            yield value


def _secrets_in_hosted_tools(value: Any, is_secret: bool = False) -> Iterator[str]:
    """Strings in fields that hold credentials, also without a scheme like `Bearer`, and the secret
    parts of URLs."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            credential = any(word in str(name).lower() for word in _CREDENTIAL_WORDS)
            yield from _secrets_in_hosted_tools(inner, is_secret or credential)
    elif isinstance(value, str) and is_secret:
        yield from (value, value.partition(" ")[2])
    elif isinstance(value, str):
        yield from _secrets_in_url(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _secrets_in_hosted_tools(inner, is_secret)
