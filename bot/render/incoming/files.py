"""Reads files as their name and kind, with the preview that Slack contains."""

from __future__ import annotations

from typing import Any

from bot.render.incoming.findings import Findings
from bot.render.incoming.mrkdwn import unescape
from bot.render.incoming.payload import (
    Payload,
    as_mapping,
    as_string,
    collapse_whitespace,
    join_lines,
    mapping_items,
    quote_markdown,
)

MAX_PREVIEW_CHARACTERS = 2_000
"""Characters of a preview that are read. Slack's previews are mostly shorter. Ours."""

GONE_FILE_NAME = "a file that is gone"
UNNAMED_FILE_NAME = "a file without a name"

GONE_MODES = frozenset({"tombstone", "hidden_by_limit"})
"""The `mode` of files that were deleted, or that a free workspace does not show any more."""

# Fields with the text of a file: of snippets, emails and posts.
_PREVIEW_FIELDS = ("plain_text", "preview_plain_text", "preview")


def files_text(files: Any, findings: Findings) -> str:
    """A line for each file, with its preview below; files that were read before are left out."""
    return join_lines(_file_text(file, findings) for file in mapping_items(files))


def shown_file_name(name: str) -> str:
    """The name of a file as it is shown, from a payload."""
    return collapse_whitespace(unescape(name))


def _file_text(file: Payload, findings: Findings) -> str:
    name = shown_file_name(as_string(file.get("name")) or as_string(file.get("title")))
    key = as_string(file.get("id")) or name
    if key in findings.files or not (key or file.get("mimetype")):
        return ""
    if as_string(file.get("mode")) in GONE_MODES:
        findings.files[key] = GONE_FILE_NAME
        findings.unreadable.append(GONE_FILE_NAME)
        return "[file: no longer in Slack]"
    sort, kind = _media_kind(file), _type_name(file)
    named = name or UNNAMED_FILE_NAME
    findings.files[key] = f"{name} ({kind})" if name and kind else named
    name = name or "without a name"
    alt = collapse_whitespace(findings.note_words(unescape(as_string(file.get("alt_txt")))))
    facts = dict.fromkeys([name, *([] if sort == "image" else [kind]), _title(file, name), alt])
    preview = _preview(file, findings)
    if not (alt or preview):
        findings.unreadable.append(findings.files[key])
    return join_lines([f"[{sort}: {', '.join(filter(None, facts))}]", preview])


def _media_kind(file: Payload) -> str:
    sort = as_string(file.get("mimetype")).partition("/")[0]
    return sort if sort in ("image", "audio", "video") else "file"


def _type_name(file: Payload) -> str:
    ending = as_string(file.get("filetype"))
    named = as_string(file.get("pretty_type")) or (ending.upper() if len(ending) <= 4 else ending)
    return collapse_whitespace(unescape(named or as_string(file.get("mimetype"))))


def _title(file: Payload, name: str) -> str:
    """The title that a person gave a file; "" for Slack's default, the name of the file."""
    subject = as_string(file.get("subject")) or as_string(file.get("title"))
    title = collapse_whitespace(unescape(subject))
    return "" if title in (name, name.rpartition(".")[0]) else title


def _preview(file: Payload, findings: Findings) -> str:
    words = next(filter(str.strip, (as_string(file.get(name)) for name in _PREVIEW_FIELDS)), "")
    spoken = as_mapping(as_mapping(file.get("transcription")).get("preview"))
    text = unescape((words or as_string(spoken.get("content"))).strip())
    if len(text) > MAX_PREVIEW_CHARACTERS:
        text = text[:MAX_PREVIEW_CHARACTERS].rstrip() + "…"
    return quote_markdown(findings.note_words(text)) if text else ""
