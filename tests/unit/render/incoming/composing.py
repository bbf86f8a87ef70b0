"""Messages made of words that each occur once: what a property of the reader is tried on.

A `Composer` hands out words. Those it puts where people read are in `seen`, those it puts into
ids, values, labels of buttons and addresses of images are in `hidden`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.unit.render.incoming.pieces import (
    Json,
    bullets,
    code,
    mrkdwn,
    plain,
    quote,
    rich,
    section,
)

_Thing = TypeVar("_Thing")
_STYLES = ("bold", "italic", "strike", "code")


@dataclass
class Composer:
    """Makes parts of messages; `draw` is hypothesis's."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    seen: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def word(self) -> str:
        """A new word that people see, among what Slack escapes and what markdown would read."""
        self.seen.append(f"seen{len(self.seen)}q")
        before, after = self.pick(("", ""), ("*", "*"), ("& ", " >"), ("\n", ""), ("|", "_"))
        return f"{before}{self.seen[-1]}{after}"

    def escaped(self) -> str:
        """A new word as text fields hold it."""
        return self.word().replace("&", "&amp;").replace(">", "&gt;")

    def secret(self) -> str:
        """A new word that nobody sees."""
        self.hidden.append(f"hidden{len(self.hidden)}q")
        return self.hidden[-1]

    def pick(self, *choices: _Thing) -> _Thing:
        """One of the choices."""
        found: _Thing = self.draw(st.sampled_from(choices))
        return found

    def one_of(self, *makes: Callable[[], Json]) -> Json:
        """What one of the makers makes; the others make no words."""
        return self.pick(*makes)()

    def some(self, make: Callable[[], Json], most: int = 3) -> list[Json]:
        """None, one or several."""
        return [make() for _ in range(self.draw(st.integers(0, most)))]

    def button(self) -> Json:
        """Something to press."""
        words = {name: self.secret() for name in ("action_id", "value", "url")}
        return {
            "type": self.pick("button", "workflow_button"),
            "text": plain(self.secret()),
        } | words

    def element(self) -> Json:
        """An inline element of rich text."""
        styled = {"style": dict.fromkeys(_STYLES[: self.pick(0, 1, 4)], True)}
        return self.one_of(
            lambda: {"type": "text", "text": f" {self.word()} "} | styled,
            lambda: {"type": "link", "url": "https://x.example", "text": self.word()} | styled,
            lambda: {"type": "date", "timestamp": 1, "fallback": f" {self.word()} "},
            lambda: {"type": "emoji", "name": self.word()},
            lambda: {"type": "from_the_future", "text": f" {self.word()} ", "id": self.secret()},
        )

    def rich(self) -> Json:
        """A rich_text block."""
        return rich(*self.some(self.part)) | {"block_id": self.secret()}

    def part(self) -> Json:
        """A part of a rich_text block."""
        elements = self.some(self.element)
        return self.one_of(
            lambda: section(*elements),
            lambda: quote(*elements),
            lambda: code(*elements, language="python"),
            lambda: bullets(
                section(*elements),
                section(self.element()),
                indent=self.pick(0, 1, 2, 9),
                style=self.pick("ordered", "bullet"),
                offset=self.pick(0, 4),
                border=self.pick(0, 1),
            ),
        )

    def text_object(self) -> Json:
        """A text object."""
        words = self.escaped()
        return self.one_of(lambda: mrkdwn(words), lambda: plain(words))

    def image(self) -> Json:
        """An image with its words."""
        return {
            "type": "image",
            "image_url": self.secret(),
            "alt_text": self.escaped(),
            "title": plain(self.escaped()),
        }

    def cell(self) -> Json:
        """A cell of a table."""
        return self.one_of(
            lambda: rich(section(self.element())),
            lambda: {"type": "raw_text", "text": self.escaped()},
            lambda: {"type": "raw_number", "value": 1, "text": self.escaped()},
        )

    def block(self) -> Json:
        """A block of any kind."""
        return self.pick(*_BLOCKS)(self) | {"block_id": self.secret()}

    def fields(self) -> list[Json]:
        """The fields of an attachment."""
        one = {"short": True}
        return self.some(lambda: {"title": self.escaped(), "value": self.escaped()} | one)

    def file(self) -> Json:
        """A file."""
        return {
            "id": self.secret(),
            "name": self.escaped(),
            "title": self.escaped(),
            "alt_txt": self.escaped(),
            "mimetype": self.pick("image/png", "application/pdf"),
            "preview": self.escaped(),
            "url_private": self.secret(),
            "permalink": self.secret(),
        }

    def attachment(self) -> Json:
        """An attachment, forwarded or not."""
        names = ("pretext", "author_name", "title", "text", "footer")
        words = {name: self.escaped() for name in names if self.pick(True, False)}
        hidden = {name: self.secret() for name in ("color", "thumb_url", "from_url", "callback_id")}
        parts = {"fields": self.fields(), "files": self.some(self.file, 1)}
        inner: Json = {"blocks": self.some(self.block, 2)}
        if self.pick(True, False):
            inner = {"message_blocks": [{"message": inner}], "is_share": True}
        fallback = {"fallback": self.secret()} if words.keys() - {"author_name", "pretext"} else {}
        actions = {"actions": [{"type": "button", "text": self.secret(), "name": self.secret()}]}
        return words | hidden | parts | inner | fallback | actions

    def message(self) -> Json:
        """A message of all of it."""
        blocks = self.some(self.block)
        attachments = self.some(self.attachment, 2)
        copied = " ".join(self.seen) if blocks and not attachments else ""
        return {
            "client_msg_id": self.secret(),
            "ts": "1.1",
            "text": self.escaped() if self.pick(True, False) else copied,
            "blocks": blocks,
            "attachments": attachments,
            "files": self.some(self.file, 2),
        }


def _rows(make: Composer) -> list[list[Json]]:
    return [make.some(make.cell) for _ in range(make.pick(0, 1, 3))]


_BLOCKS: tuple[Callable[[Composer], Json], ...] = (
    Composer.rich,
    Composer.image,
    lambda make: {"type": "markdown", "text": make.escaped()},
    lambda make: {"type": "header", "text": plain(make.escaped())},
    lambda make: {
        "type": "section",
        "text": make.text_object(),
        "fields": make.some(make.text_object),
        "accessory": make.one_of(make.button, make.image),
    },
    lambda make: {
        "type": "context",
        "elements": make.some(make.text_object) + make.some(make.image, 1),
    },
    lambda make: {"type": "table", "rows": _rows(make)},
    lambda make: {"type": "data_table", "caption": make.escaped(), "rows": _rows(make)},
    lambda make: {"type": "actions", "elements": make.some(make.button)},
    lambda make: {"type": "divider"},
    lambda make: {"type": "alert", "level": make.secret(), "text": make.text_object()},
    lambda make: {
        "type": "carousel",
        "elements": [{"type": "card", "title": make.text_object(), "actions": [make.button()]}],
    },
    lambda make: {
        "type": "plan",
        "title": make.escaped(),
        "tasks": [{"type": "task_card", "title": make.escaped(), "details": make.rich()}],
    },
    lambda make: {
        "type": "container",
        "title": plain(make.escaped()),
        "child_blocks": make.some(make.block, 1),
    },
    lambda make: {
        "type": "video",
        "title": plain(make.escaped()),
        "description": plain(make.escaped()),
        "video_url": make.secret(),
    },
    lambda make: {"type": "from_the_future", "body": make.text_object(), "ref": make.secret()},
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Json, Composer]:
    """A message, and who composed it."""
    composer = Composer(draw)
    return composer.message(), composer
