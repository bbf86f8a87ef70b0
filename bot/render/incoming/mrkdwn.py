"""Slack's markup in text fields (`text`, mrkdwn objects, attachments) as plain text.

Slack escapes `&`, `<` and `>`, so an angle bracket in a field is always markup
(https://docs.slack.dev/messaging/formatting-message-text). Emphasis is left as it was written.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.render.incoming.findings import Findings

_MARKUP = re.compile(r"<([^<>\n]+)>|&(amp|lt|gt);")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
_DATE_TOKEN = re.compile(r"\{(date|time|ago|day)[a-z_]*\}")
_MAX_TIMESTAMP = 253402300799  # the end of the year 9999; nothing later can be written as a date


def mrkdwn_to_text(text: str) -> str:
    """Return Slack's mrkdwn with channels, groups, links and entities written out."""
    return read_mrkdwn(text, Findings()).strip()


def find_mentions(text: str) -> tuple[str, ...]:
    """Return the users that Slack marked in a text field, each once."""
    findings = Findings()
    read_mrkdwn(text, findings)
    return tuple(findings.mentions)


def without_mention(text: str, user: str) -> str:
    """Return the text without mentions of `user`, and without the gaps they leave."""
    mention = rf"<@{re.escape(user)}(?:\|[^>]*)?>"
    text = re.sub(rf"^\s*{mention}[\s,:]*", "", text)
    return re.sub(rf"(?<![ \t])[ \t]*+{mention}", "", text).strip()


def read_mrkdwn(text: str, findings: Findings) -> str:
    """Return a mrkdwn field with its markup written out and its entities undone once.

    Mentions lose the label their writer gave them: `<@U1|The CEO>` names U1 and nobody else.
    """

    def written(match: re.Match[str]) -> str:
        return _ENTITIES[match[2]] if match[2] else _expand_markup(match[1], findings)

    findings.note_words(_MENTION.sub("", text))
    return _MARKUP.sub(written, text)


def read_markdown(text: str, findings: Findings) -> str:
    """Return the text of a markdown block: mentions noted, entities undone once."""
    findings.note_words(_MENTION.sub("", text))
    return unescape(_MENTION.sub(lambda match: findings.add_mention(match[1]), text))


def unescape(text: str) -> str:
    """Return `text` without Slack's three entities; others mean nothing to Slack."""
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)


def format_date(timestamp: object, pattern: str, fallback: str) -> str:
    """Return the date of a date element: its fallback, else the time in UTC."""
    if fallback.strip():
        return fallback
    try:
        seconds = float(str(timestamp))
    except ValueError:
        return ""
    if not 0 <= seconds <= _MAX_TIMESTAMP:
        return ""
    at = datetime.fromtimestamp(seconds, UTC)
    shown = {"time": f"{at:%H:%M} UTC"}
    return _DATE_TOKEN.sub(lambda m: shown.get(m[1], f"{at:%Y-%m-%d}"), pattern or "{date} {time}")


def format_link(url: str, label: str, template: str) -> str:
    """Return a link in `form`, or its address alone where the label says nothing more."""
    if label and url == f"mailto:{label}":
        return label
    if not label.strip() or label == url or url.endswith(f"://{label}"):
        return url
    return template.format(label=label, url=url) if url else label


def _expand_markup(markup: str, findings: Findings) -> str:
    if match := _MENTION.fullmatch(f"<{markup}>"):
        return findings.add_mention(match[1])
    if markup.startswith("@"):
        return f"<{unescape(markup)}>"
    target, _, label = markup.partition("|")
    target, label = unescape(target), unescape(label)
    if target.startswith("#"):
        return "#" + (label or findings.labels.get(target[1:], target[1:]))
    if target.startswith("!"):
        return _expand_special(target[1:], label)
    return format_link(target, label, "{label} ({url})")


def _expand_special(target: str, label: str) -> str:
    if target.startswith("subteam"):
        return label or "@group"
    if target.startswith("date"):
        _, timestamp, pattern, *_ = [*target.split("^"), "", ""]
        return format_date(timestamp, pattern, label)
    return "@" + target
