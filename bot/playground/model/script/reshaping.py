"""Reshapes an earlier answer: its items, a shorter form, its sentences in another format. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.M | re.S)
_ITEM = re.compile(r"^(?:[-*+]|\d+[.)]) +(?:\[[ x]\] +)?(.+)$")
_ROW = re.compile(r"^\|(.+)\|$")
_RULE = re.compile(r"^\|[\s:|-]+\|$")
_SENTENCE = re.compile(r"\S.*?(?:[.!?…][\"'*)_]*(?=\s|$)|$)")
_LEAD = re.compile(r"\*\*(.+?)\*\*")
_PIRATE = (
    (r"\byou are\b", "ye be"),
    (r"\bI am\b|\bI'm\b", "I be"),
    (r"\b(?:is|are|am)\b", "be"),
    (r"\byour\b", "yer"),
    (r"\byou\b", "ye"),
    (r"\bmy\b", "me"),
    (r"\bthe\b", "th'"),
    (r"\b(?:hello|hi)\b", "ahoy"),
    (r"\byes\b", "aye"),
    (r"(?<=\w\w\w)ing\b", "in'"),
)


def items(answer: str) -> list[str]:
    """What "the second one" counts: list items, else rows of a table, else paragraphs."""
    return _listed(answer) or paragraphs(answer)


def paragraphs(answer: str) -> list[str]:
    """Paragraphs of prose: no code, tables, lists, headings, quotes or remarks."""
    blocks = re.split(r"\n\s*\n", _FENCE.sub("", answer))
    flat = (" ".join(block.split()) for block in blocks)
    return [b for b in flat if b and not re.match(r"[#|>]|\*\(|[-*+] |\d+[.)] ", b)]


def sentences(answer: str) -> list[str]:
    """Sentences of its prose, or its items where there is no prose."""
    return _prose(answer) or items(answer)


def shorter(answer: str) -> str:
    """The gist: the first sentence, and the heads of at most three items."""
    first, *_ = [*_prose(answer), ""]
    heads = "\n".join(f"- {_head(item)}" for item in _listed(answer)[:3])
    return f"{first}\n\n{heads}".strip()


def as_list(answer: str) -> str:
    """Its items or sentences as a list."""
    return "\n".join(f"- {point}" for point in _listed(answer) or sentences(answer))


def as_numbers(answer: str) -> str:
    """Its items or sentences as a numbered list."""
    points = _listed(answer) or sentences(answer)
    return "\n".join(f"{i}. {point}" for i, point in enumerate(points, 1))


def quoted(answer: str) -> str:
    """All of it as a quote."""
    return "\n".join(f"> {line}".rstrip() for line in answer.splitlines())


def fenced(answer: str) -> str:
    """All of it as a block of code, in a fence it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", answer)), default=2)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{answer}\n{fence}"


def capitals(answer: str) -> str:
    """Its prose in capitals; code stays as it is."""
    return _outside_code(answer, str.upper)


def pirate(answer: str) -> str:
    """Its prose as a pirate would have it; code stays as it is."""

    def speak(text: str) -> str:
        for pattern, word in _PIRATE:
            text = re.sub(pattern, word, text)
        return text

    return "Arr! " + _outside_code(answer, speak)


def word_count(answer: str) -> int:
    """Words, as a reader counts them."""
    return len(re.findall(r"\w[\w'\u2019-]*", answer))


def _outside_code(answer: str, change: Callable[[str], str]) -> str:
    parts = re.split(r"(```.*?```|`[^`\n]+`|\]\([^)]*\)|https?://\S+)", answer, flags=re.S)
    return "".join(part if i % 2 else change(part) for i, part in enumerate(parts))


def _prose(answer: str) -> list[str]:
    return [s for paragraph in paragraphs(answer) for s in _SENTENCE.findall(paragraph)]


def _listed(answer: str) -> list[str]:
    lines = _FENCE.sub("", answer).splitlines()
    listed = [found[1] for line in lines if (found := _ITEM.match(line))]
    rows = [found[1] for line in lines if (found := _ROW.match(line)) and not _RULE.match(line)]
    return listed or [_row(rows[0], row) for row in rows[1:]]


def _head(item: str) -> str:
    """The part of an item that names it."""
    lead = _LEAD.match(item)
    return lead[1].rstrip(".:,") if lead else re.split(r"(?<=\w)[.:;,(·]\s", item)[0].rstrip(".")


def _row(head: str, row: str) -> str:
    names, cells = ([cell.strip() for cell in line.split("|")] for line in (head, row))
    first, *rest = zip(names, cells, strict=False)
    told = "; ".join(f"{name.lower()}: {cell}" for name, cell in rest)
    return f"**{first[1]}**" + (f" ({told})" if told else "")
