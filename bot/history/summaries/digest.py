"""A digest of covered messages, which shows later whether any of them was changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple


class Fingerprint(NamedTuple):
    """A message and what it says."""

    ts: str
    text: str


def extend_digest(digest: str, fingerprints: Iterable[Fingerprint]) -> str:
    """The digest of messages, those of `digest` first; "" is the digest of none."""
    for found in fingerprints:
        line = f"{digest}\0{found.ts}\0{found.text}"
        digest = sha256(line.encode(errors="replace")).hexdigest()
    return digest
