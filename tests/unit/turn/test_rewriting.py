"""What is shown of an answer that is written again, and at its end."""

from __future__ import annotations

import pytest

from bot.turn.answering.rewriting import RewritingReply, restored_draft, version_of
from bot.values import REMOVED_DRAFT, Draft, Phase, Rewrite
from bot.words import Language, Phrase
from tests.support.words import english

EARLIER = Draft(Phase.DONE, "Old.", "about 3 were left out")
FAILED = [Phase.STOPPED, Phase.FAILED, Phase.INTERRUPTED]


class RecordingReply:
    """Keeps the drafts that it is handed, and what else it is asked."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.asked: list[str] = []

    async def open(self, draft: Draft) -> None:
        self.drafts.append(draft)

    def show(self, draft: Draft) -> None:
        self.drafts.append(draft)

    async def finish(self, draft: Draft) -> None:
        self.drafts.append(draft)

    async def wait_cleanup(self) -> None:
        self.asked.append("cleanup")

    def abandon(self) -> None:
        self.asked.append("abandon")


async def test_reply_shows_the_earlier_text_until_there_is_new_text() -> None:
    inner = RecordingReply()
    reply = RewritingReply(inner, EARLIER)
    await reply.open(Draft(Phase.ASKING))
    reply.show(Draft(Phase.QUEUED, "", "Waiting"))
    reply.show(Draft(Phase.STREAMING, "New"))
    await reply.finish(Draft(Phase.DONE, "New."))
    await reply.wait_cleanup()
    reply.abandon()
    assert inner.drafts == [
        Draft(Phase.REWRITING, "Old."),
        Draft(Phase.REWRITING, "Old.", "Waiting"),
        Draft(Phase.STREAMING, "New"),
        Draft(Phase.DONE, "New."),
    ]
    assert inner.asked == ["cleanup", "abandon"]


@pytest.mark.parametrize("phase", FAILED)
def test_earlier_text_is_restored_with_a_line_that_says_why(phase: Phase) -> None:
    found = restored_draft(EARLIER, Draft(phase, "Ne", "It ended."), Language.ENGLISH)
    assert found
    assert (found.phase, found.text) == (Phase.DONE, "Old.")
    stopped = phase is Phase.STOPPED
    said = Phrase.NEW_VERSION_STOPPED if stopped else Phrase.NEW_VERSION_FAILED
    assert english(said) in found.status_line
    assert found.status_line.startswith(EARLIER.status_line)
    assert ("It ended." in found.status_line) is not stopped


@pytest.mark.parametrize("phase", [one for one in Phase if one not in FAILED])
def test_new_text_stays_unless_it_has_failed(phase: Phase) -> None:
    assert restored_draft(EARLIER, Draft(phase, "New."), Language.ENGLISH) is None


def test_nothing_is_restored_to_a_deleted_question_or_without_a_text() -> None:
    assert restored_draft(EARLIER, REMOVED_DRAFT, Language.ENGLISH) is None
    failed = Draft(Phase.FAILED, "", "No.")
    assert restored_draft(Draft(Phase.STOPPED), failed, Language.ENGLISH) is None


@pytest.mark.parametrize(
    ("versions", "shows", "position"),
    [
        ((), "", None),
        (("a",), "", (2, 2)),
        (("a", "b"), "a", (1, 2)),
        (("a",), "a", None),
        (("a", "b"), "gone", None),
    ],
)
def test_version_is_its_position_among_those_that_can_be_shown(
    versions: tuple[str, ...], shows: str, position: tuple[int, int] | None
) -> None:
    rewrite = Rewrite("a", 3, "a", versions)
    assert version_of("c", rewrite, shows) == position
    assert version_of("c", None, "") is None
