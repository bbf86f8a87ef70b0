"""Where one message ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.render.close import open_fence


@dataclass(frozen=True, slots=True)
class Part:
    """One message's share of a text: `text` as it is to be read, `last` if more may be added."""

    text: str
    last: bool


def split(text: str, limit: int, cuts: Sequence[int] = ()) -> Iterator[Part]:
    """Yield the parts of `text`, each at most `limit` bytes; full ones never change."""
    done, opening = 0, ""
    while True:
        cut = next((cut for cut in sorted(cuts) if done < cut < len(text)), None)
        end = _end(text[done:], limit - len(opening.encode()) - 100)
        if cut is not None and (end is None or cut - done <= end):
            end = cut - done
        if end is None:
            yield Part(opening + text[done:], last=True)
            return
        body = opening + text[done : done + end]
        fence = open_fence(body)
        yield Part(body.rstrip("\n") + (f"\n{fence.strip()[:3]}" if fence else ""), last=False)
        done, opening = done + end, f"{fence}\n" if fence else ""


def _end(text: str, room: int) -> int | None:
    """Return where to cut `text` to fit `room` bytes, or None when all of it fits."""
    if len(text) * 4 <= room or len(text.encode()) <= room:
        return None
    window = text.encode()[:room].decode(errors="ignore")
    for mark in ("\n\n", "\n", " "):
        at = window.rfind(mark)
        if at > len(window) // 2:
            return at + len(mark)
    return len(window)
