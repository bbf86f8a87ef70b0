"""What a person typed, as Slack's composer would send it: names become ids.

`@ada` → `<@U1>`, `#general` → `<#C1|general>`, `@here` → `<!here>`; a line that begins with `/` is
a command. The workspace itself escapes the text and marks bare URLs.
"""

from __future__ import annotations

import re

from bot.playground.page.names import BROADCASTS, TOKEN, Names, unescape

_COMMAND = re.compile(r"(?P<command>/[a-z0-9_-]{1,32})(?:\s+(?P<text>.*))?", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)


def command(written: str) -> tuple[str, str] | None:
    """`/ask what is this` as its two parts, or None for an ordinary message."""
    found = _COMMAND.fullmatch(written.strip())
    return (found["command"], (found["text"] or "").strip()) if found else None


def with_ids(written: str, names: Names) -> str:
    """Names turned into mentions, everywhere but in code."""
    targets = _targets(names)
    pattern = _pattern(targets)
    parts = _CODE.split(written)
    parts[::2] = [pattern.sub(lambda m: targets[m[0].lower()], part) for part in parts[::2]]
    return "".join(parts)


def as_typed(sent: str, names: Names) -> str:
    """The reverse, for editing: what a person would have to type to send `sent`."""
    return unescape(TOKEN.sub(lambda found: _word(found["token"], names), sent))


def _targets(names: Names) -> dict[str, str]:
    people = {f"@{name}".lower(): f"<@{key}>" for key, name in names.users.items()}
    channels = {f"#{name}".lower(): f"<#{key}|{name}>" for key, name in names.channels.items()}
    return {f"@{word}": f"<!{word}>" for word in BROADCASTS} | channels | people


def _pattern(targets: dict[str, str]) -> re.Pattern[str]:
    """The longest name wins: `@ada lovelace` before `@ada`."""
    longest_first = sorted(targets, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def _word(inside: str, names: Names) -> str:
    body, _, label = inside.partition("|")
    match body[:1]:
        case "@":
            return "@" + names.users.get(body[1:], label or body[1:])
        case "#":
            return "#" + names.channels.get(body[1:], label or body[1:])
        case "!":
            return "@" + body[1:]
    return body
