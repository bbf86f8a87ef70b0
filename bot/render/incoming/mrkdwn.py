"""Reads Slack's markup in text fields (`text`, mrkdwn objects, attachments) as plain text.

Slack escapes `&`, `<` and `>`, so an angle bracket in a field is always markup
(https://docs.slack.dev/messaging/formatting-message-text). Emphasis is kept.
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
    """The text of mrkdwn, with names of channels and groups, links, and decoded entities."""
    return read_mrkdwn(text, Findings()).strip()


def find_mentions(text: str) -> tuple[str, ...]:
    """The ids of users that Slack marked as mentioned in a text field, each once."""
    findings = Findings()
    read_mrkdwn(text, findings)
    return tuple(findings.mentions)


def without_mention(text: str, user: str) -> str:
    """The text without mentions of `user`, and without the gaps that they leave."""
    mention = rf"<@{re.escape(user)}(?:\|[^>]*)?>"
    text = re.sub(rf"^\s*{mention}[\s,:]*", "", text)
    return re.sub(rf"(?<![ \t])[ \t]*+{mention}", "", text).strip()


def read_mrkdwn(text: str, findings: Findings) -> str:
    """The text of mrkdwn: markup written out, entities decoded once, mentions added to `findings`.

    A mention loses its label, which the author can choose: `<@U1|The CEO>` becomes `<@U1>`.
    """

    def written(match: re.Match[str]) -> str:
        return _ENTITIES[match[2]] if match[2] else _expand_markup(match[1], findings)

    findings.note_words(_MENTION.sub("", text))
    return _MARKUP.sub(written, text)


def read_markdown(text: str, findings: Findings) -> str:
    """The text of a markdown block: entities decoded once, mentions added to `findings`."""
    findings.note_words(_MENTION.sub("", text))
    return unescape(_MENTION.sub(lambda match: findings.add_mention(match[1]), text))


def unescape(text: str) -> str:
    """Decode Slack's three entities; Slack has no others."""
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)


def format_date(timestamp: object, pattern: str, fallback: str) -> str:
    """The text of a date element: its fallback, or the time in UTC."""
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
    """A link in the form of `template`, or only its URL if the label repeats it."""
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
