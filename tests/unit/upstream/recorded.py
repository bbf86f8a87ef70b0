"""Streams and answers that others recorded from real servers, stored outside the project."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.support.project import RECORDED

FOLDER = RECORDED / "sse"
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded streams are not here")


@cache
def manifest() -> list[dict[str, Any]]:
    """Return what is known of each recorded stream; nothing where they are absent."""
    return read_lines("manifest.jsonl")


def read_lines(name: str) -> list[dict[str, Any]]:
    """Return the objects of a file with one on each line."""
    path = FOLDER / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def stream(name: str) -> bytes:
    """Return the body of one stream."""
    return (FOLDER / name).read_bytes()


def captures() -> list[str]:
    """Return the names of the recorded HTTP answers."""
    return sorted(path.stem for path in (FOLDER / "captures").glob("*.http"))


def capture(name: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a recorded answer; status 0 when none came.

    A last line that starts with `rc_http=` or `TOTAL=` is the recorder's own.
    """
    raw = (FOLDER / "captures" / f"{name}.http").read_bytes()
    lines = raw.splitlines(keepends=True)
    if lines[-1].startswith((b"rc_http=", b"TOTAL=")):
        raw = b"".join(lines[:-1])
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    if not first.startswith("HTTP/"):
        return 0, {}, b""
    headers = dict(line.split(": ", 1) for line in rest if ": " in line)
    names = {name.lower(): value for name, value in headers.items()}
    names.pop("transfer-encoding", None)  # the bodies are de-chunked
    names.pop("content-length", None)
    return int(first.split(" ")[1]), names, body
