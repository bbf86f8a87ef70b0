"""How one answer lies in its messages: what stands in Slack, what should, where it was cut. Pure.

A message that was left behind, because it is full or because no edit came in time, is not touched
again, except to take away the sign that more comes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.delivery.edits.reconcile import Delete, Edit, Post, Shown, Step, next_step
from bot.render.buttons import Element, buttons_of
from bot.render.message import Body, bodies
from bot.render.safety.neutralise import escaped
from bot.values import REMOVED, Draft, Question

LIMIT = 11_000  # bytes of markdown in one message (docs/delivery.md#message-layout)
# the same without blocks: `text` of chat.update holds 4,000 (docs/slack.md#size-limits)
PLAIN_LIMIT = 3_500
LEAST_LIMIT = 1_000

POINTER = Body(
    "The answer is below.",
    '[{"type":"context","elements":[{"type":"plain_text","text":"The answer is below."}]}]',
)
"""What a placeholder becomes whose answer had to go out as the next message."""


_MARKDOWN = '{"type":"markdown"'


class Layout:
    """The messages of one answer. `first`, if given, stands already, somewhere else; `standing`
    (ts) stand here, and nobody knows what they show."""

    def __init__(
        self, question: Question, first: Body | None = None, standing: Sequence[str] = ()
    ) -> None:
        self.shown: list[Shown] = [Shown("", first)] if first else []
        self.text = ""  # as much of the draft's text as stands
        self._question = question
        self._wanted: tuple[Body, ...] = ()
        self._rendered = ""
        self._limit = LIMIT
        self._plain = False
        self._head: tuple[Body, ...] = ()  # messages that hold nothing of the draft
        self._elsewhere = (first,) if first else ()
        self._cuts: tuple[int, ...] = ()
        self._untidy: set[int] = set()  # left behind with a sign that more comes
        self._frozen = len(self.shown)  # so many, from the top, can't be changed any more
        self.shown += [Shown(ts, None) for ts in standing]

    @property
    def untidy(self) -> bool:
        """Whether a message left behind has still to be mended."""
        return bool(self._untidy)

    def plan(self, draft: Draft) -> Step | None:
        """Render a draft and return what to do first so that it stands; None if it does."""
        self._wanted, self._rendered = self._render(draft), draft.text
        step = self.next()
        if step is None and self._untidy:
            self._untidy.clear()
            step = self.next()
        return step

    def next(self) -> Step | None:
        """Return what to do first so that the draft rendered last stands."""
        step = next_step(self.shown, self._wanted, leave={*range(self._frozen), *self._untidy})
        if step is None:
            self.text = self._rendered
        return step

    def done(self, step: Step, ts: str = "") -> None:
        """Take note that a step was taken; `ts` is a posted message's."""
        match step:
            case Edit(index, body):
                self.shown[index] = Shown(self.shown[index].ts, body)
            case Post(_, body):
                self.shown.append(Shown(ts, body))
            case Delete(index):
                del self.shown[index]

    def unknown(self, step: Step) -> None:
        """Take note that a step may have been taken or not."""
        if isinstance(step, Edit):
            self.shown[step.index] = Shown(self.shown[step.index].ts, None)

    def roll_over(self, draft: Draft) -> bool:
        """Leave the last message as it stands, so that what is missing goes out as the next one.

        False, and nothing is changed, if that can't be: the draft does not begin with what stands,
        or has nothing to show beyond it.
        """
        before = self._head, self._cuts, self._untidy, self.text
        if not draft.text.startswith(self.text):
            return False
        if self._shows_text:
            self._cuts = (*self._cuts, len(self.text))
        else:
            self._head = (*self._head, POINTER)
        self._untidy = self._untidy | {len(self.shown) - 1}
        if isinstance(self.plan(draft), Post):
            return True
        self._head, self._cuts, self._untidy, self.text = before
        return False

    def freeze(self, draft: Draft) -> None:
        """Go on in a new message: those that stand can't be edited any more."""
        self._frozen = len(self.shown)
        self._untidy = set()
        if self.text and draft.text.startswith(self.text):
            self._cuts = (*self._cuts, len(self.text))
        else:
            self._head, self._cuts = tuple(one.body or POINTER for one in self.shown), ()

    def simplify(self) -> bool:
        """Do without blocks from now on; False if they were given up already."""
        if self._plain:
            return False
        self._plain, self._limit = True, min(self._limit, PLAIN_LIMIT)
        return True

    def shrink(self) -> bool:
        """Make messages shorter from now on; False if they can't be."""
        if self._limit <= LEAST_LIMIT:
            return False
        self._limit = max(LEAST_LIMIT, self._limit * 2 // 3)
        return True

    @property
    def _shows_text(self) -> bool:
        """Whether a reader sees any of the text that stands: of "#" there is nothing to see yet."""
        blocks = (one.body.blocks for one in self.shown if one.body)
        return bool(self.text) and (self._plain or any(_MARKDOWN in each for each in blocks))

    def _render(self, draft: Draft) -> tuple[Body, ...]:
        if draft == REMOVED:
            return self._elsewhere
        buttons = buttons_of(draft.phase, dm=self._question.place.surface == "dm")
        rendered = render(
            draft, self._question, limit=self._limit, cuts=self._cuts, buttons=buttons
        )
        return (*self._head, *(map(plainly, rendered) if self._plain else rendered))


def render(
    draft: Draft,
    question: Question,
    *,
    limit: int = LIMIT,
    cuts: tuple[int, ...] = (),
    buttons: tuple[Element, ...] = (),
) -> tuple[Body, ...]:
    """Return the messages that should stand for a draft."""
    alone = question.ts is None  # no message above the answer shows the question
    return bodies(
        draft,
        question_id=question.id,
        limit=limit,
        cuts=cuts,
        asked_by=question.user if alone else "",
        question=question.text if alone else "",
        whole_question=question.place.surface == "dm",  # where one goes on from it
        buttons=buttons,
    )


def plainly(body: Body) -> Body:
    """The same message without blocks: its texts, shown as they are written."""
    blocks: list[dict[str, Any]] = json.loads(body.blocks)
    return Body("\n\n".join(filter(None, map(_words, blocks))), "[]")


def _words(block: dict[str, Any]) -> str:
    match block:
        case {"type": "markdown", "text": str(text)}:
            return escaped(text)
        case {"type": "section", "text": {"text": str(text)}}:
            return escaped(text)
        case {"type": "context", "elements": list(elements)}:
            return " ".join(escaped(str(element.get("text", ""))) for element in elements)
    return ""
