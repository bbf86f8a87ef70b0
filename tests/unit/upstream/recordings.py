"""Streams and answers: synthetic ones always, recorded ones where they are beside the project."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.support.corpus import chat, http_answers, responses
from tests.support.shared_data import DATA, lines

FOLDER = DATA / "sse"
SYNTHETIC = {stream.file: stream for stream in (*responses.STREAMS, *chat.STREAMS)}

_SEARCH = "Searching the web: tech news today December 5 2025"
_CITED = ["https://populationstat.com/united-states/san-francisco"]
_ANNOTATED = ["https://pydantic.dev/pydantic-ai"]
# What the manifest of the recordings does not say: `failure` is the text before a failure,
# `commentary` says that only the last message is the answer, `thinking` that the text begins with
# thoughts, `search` is an activity, and `sources` are addresses that are cited.
_FACTS: dict[str, dict[str, Any]] = {
    "chat/pyd-groq_model_thinking_part_iter-0.sse": {"thinking": True},
    "chat/pyd-hf_model_thinking_part_iter-0.sse": {"thinking": True},
    "chat/pyd-openrouter_web_search_annotations_stream-0.sse": {"sources": _ANNOTATED},
    "chat/pyd-tool_use_failed_error_streaming-0.sse": {"failure": ""},
    "chat/pyd-tool_use_failed_error_streaming_with_text-0.sse": {"failure": "maybe"},
    "chat/vai-perplexity-citations.sse": {"sources": _CITED},
    "responses/pyd-background_mode_streaming_vcr-0.sse": {"resumable": True},
    "responses/vai-openai-error.1.sse": {"failure": ""},
    "responses/vai-openai-phase.1.sse": {"commentary": True},
    "responses/vai-openai-web-search-tool.1.sse": {"search": _SEARCH},
}


@cache
def manifest() -> list[dict[str, Any]]:
    """Return what is known of each stream."""
    recorded = lines("sse/manifest.jsonl")
    synthetic = [stream.entry for stream in SYNTHETIC.values()]
    return [*synthetic, *({**known, **_FACTS.get(known["file"], {})} for known in recorded)]


def files(*, tag: str = "", fact: str = "") -> list[str]:
    """Return the names of the streams that have a tag, or of which a fact is known."""
    return [
        known["file"]
        for known in manifest()
        if (not tag or tag in known["tags"]) and (not fact or fact in known)
    ]


def errors() -> list[dict[str, Any]]:
    """Return error answers with status and body."""
    return [*http_answers.ERRORS, *lines("sse/http_errors.jsonl")]


def stream(name: str) -> bytes:
    """Return the body of one stream."""
    return SYNTHETIC[name].body if name in SYNTHETIC else (FOLDER / name).read_bytes()


def captures() -> list[str]:
    """Return the names of the HTTP answers."""
    recorded = sorted(path.stem for path in (FOLDER / "captures").glob("*.http"))
    return [*http_answers.ANSWERS, *recorded]


def capture(name: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer; status 0 when none came.

    A last line that starts with `rc_http=` or `TOTAL=` is the recorder's own.
    """
    made = http_answers.ANSWERS.get(name)
    raw = (FOLDER / "captures" / f"{name}.http").read_bytes() if made is None else made.raw
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
