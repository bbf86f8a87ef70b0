"""Validates base URLs of model servers, and tells which URLs would send a key unencrypted."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

# Paths that requests add to the base URL. People often paste them with an example.
ENDPOINT_PATHS = ("/responses", "/chat/completions", "/completions", "/models")
# Characters that are not allowed in a host, but appear in placeholders of documentation.
_NOT_IN_HOST = re.compile(r"[^\w.:\[\]%-]")
# Names of this machine, from itself or from a container on it.
_LOCAL_HOSTS = ("localhost", "host.docker.internal", "host.containers.internal")


def checked_base_url(value: str) -> str:
    """Return a base URL without surrounding blanks and trailing slashes. Its query is kept.

    Raises ValueError with a phrase that follows the name of the variable in a sentence.
    """
    value = value.strip()
    if re.search(r"\s", value):
        raise ValueError("has a blank in it")
    if "#" in value:
        raise ValueError("has a fragment (#…), which no server sees")
    url = _checked_parts(value)
    if "@" in url.netloc:
        raise ValueError("has a user name or a password in it; the key goes in UPSTREAM_API_KEY")
    path = url.path.rstrip("/")
    for endpoint in ENDPOINT_PATHS:
        if path.lower().endswith(endpoint):
            raise ValueError(f"must end before {endpoint}, which is added for each request")
    return url._replace(path=path).geturl()


def _checked_parts(value: str) -> SplitResult:
    """Split a URL. Raises ValueError if no request can be sent to it."""
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError as error:
        raise ValueError("has no valid host and port") from error
    if url.scheme not in {"http", "https"} or not value[len(url.scheme) :].startswith("://"):
        raise ValueError("is not an http:// or https:// address")
    if not host.strip(".") or _NOT_IN_HOST.search(host) or ".." in host or port == 0:
        raise ValueError("has no valid host and port")
    return url


def is_unencrypted(url: str) -> bool:
    """Whether requests to a URL cross a network unencrypted: plain http to another machine."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "http" or host in _LOCAL_HOSTS or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True
