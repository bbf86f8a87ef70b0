"""An answer that is written again in its messages.

The earlier text is shown until there is new text. If the new answer is stopped or fails, the
earlier text is shown again: it was a whole answer, which the beginning of another one is not.
"""

from __future__ import annotations

from bot.delivery import Reply
from bot.turn.state.answer_state import join_status_lines
from bot.values import REMOVED_DRAFT, Draft, Phase, Rewrite
from bot.words import Language, Phrase, say

_FAILED = {
    Phase.STOPPED: Phrase.NEW_VERSION_STOPPED,
    Phase.FAILED: Phrase.NEW_VERSION_FAILED,
    Phase.INTERRUPTED: Phrase.NEW_VERSION_FAILED,
}


class RewritingReply:
    """A `Reply` that shows `earlier` while a draft has no text."""

    def __init__(self, reply: Reply, earlier: Draft) -> None:
        self._reply = reply
        self._earlier = earlier

    async def open(self, draft: Draft) -> None:
        """As `Reply.open`."""
        await self._reply.open(self._shown(draft))

    def show(self, draft: Draft) -> None:
        """As `Reply.show`."""
        self._reply.show(self._shown(draft))

    async def finish(self, draft: Draft) -> None:
        """As `Reply.finish`."""
        await self._reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`."""
        await self._reply.wait_cleanup()

    def abandon(self) -> None:
        """As `Reply.abandon`."""
        self._reply.abandon()

    def _shown(self, draft: Draft) -> Draft:
        if draft.phase.is_final or draft.text.strip():
            return draft
        return Draft(Phase.REWRITING, self._earlier.text, draft.status_line)


def restored_draft(earlier: Draft, end: Draft, language: Language) -> Draft | None:
    """The earlier answer, with a line that says why it is shown, in place of a new one that has
    ended as `end`. None if the new one is to be shown, or if the question was deleted."""
    phrase = _FAILED.get(end.phase)
    if phrase is None or end == REMOVED_DRAFT or not earlier.text.strip():
        return None
    why = "" if end.phase is Phase.STOPPED else end.status_line
    line = join_status_lines(earlier.status_line, say(language, phrase), why)
    return Draft(earlier.phase, earlier.text, line)


def version_of(turn: str, rewrite: Rewrite | None, shows: str) -> tuple[int, int] | None:
    """The position of the text of `shows`, or else of `turn`, among the versions of the answer, and
    how many there are; None if it is the only one that can be shown."""
    versions = rewrite.versions if rewrite else ()
    known = versions if shows else (*versions, turn)
    shown = shows or turn
    return (known.index(shown) + 1, len(known)) if shown in known and len(known) > 1 else None
