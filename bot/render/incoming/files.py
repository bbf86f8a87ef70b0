"""Files by name and kind, with as much of their words as Slack shows."""

from __future__ import annotations

from typing import Any

from bot.render.incoming.findings import Findings
from bot.render.incoming.mrkdwn import unescaped
from bot.render.incoming.payload import Payload, items, lines, mapping, one_line, quoted, string

LONGEST_PREVIEW = 2_000
"""Characters of a file's preview that are read; Slack itself shows less of most files."""

GONE = "a file that is gone"

_MODES_GONE = frozenset({"tombstone", "hidden_by_limit"})
# The fields in which Slack gives the words of a file: snippets, emails and posts.
_PREVIEWS = ("plain_text", "preview_plain_text", "preview")


def files_text(files: Any, findings: Findings) -> str:
    """Return a line a file, with its preview below; a file met before is left out."""
    return lines(_file(file, findings) for file in items(files))


def _file(file: Payload, findings: Findings) -> str:
    name = one_line(unescaped(string(file.get("name")) or string(file.get("title"))))
    key = string(file.get("id")) or name
    if key in findings.files or not (key or file.get("mimetype")):
        return ""
    if string(file.get("mode")) in _MODES_GONE:
        findings.files[key] = GONE
        findings.unreadable.append(GONE)
        return "[file: no longer in Slack]"
    name = name or "without a name"
    sort, kind = _sort(file), _kind(file)
    findings.files[key] = f"{name} ({kind})" if kind else name
    alt = one_line(findings.words(unescaped(string(file.get("alt_txt")))))
    facts = dict.fromkeys([name, *([] if sort == "image" else [kind]), _title(file, name), alt])
    preview = _preview(file, findings)
    if not (alt or preview):
        findings.unreadable.append(findings.files[key])
    return lines([f"[{sort}: {', '.join(filter(None, facts))}]", preview])


def _sort(file: Payload) -> str:
    sort = string(file.get("mimetype")).partition("/")[0]
    return sort if sort in ("image", "audio", "video") else "file"


def _kind(file: Payload) -> str:
    ending = string(file.get("filetype"))
    named = string(file.get("pretty_type")) or (ending.upper() if len(ending) <= 4 else ending)
    return one_line(unescaped(named or string(file.get("mimetype"))))


def _title(file: Payload, name: str) -> str:
    """Return what a person called the file; Slack's own title is its name, with or without the
    ending."""
    subject = string(file.get("subject")) or string(file.get("title"))
    title = one_line(unescaped(subject))
    return "" if title in (name, name.rpartition(".")[0]) else title


def _preview(file: Payload, findings: Findings) -> str:
    words = next(filter(str.strip, (string(file.get(name)) for name in _PREVIEWS)), "")
    spoken = mapping(mapping(file.get("transcription")).get("preview"))
    text = unescaped((words or string(spoken.get("content"))).strip())
    if len(text) > LONGEST_PREVIEW:
        text = text[:LONGEST_PREVIEW].rstrip() + "…"
    return quoted(findings.words(text)) if text else ""
