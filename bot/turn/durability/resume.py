"""How a turn begins here, whoever began it. Pure: a record in, a machine out.

An answer that was begun goes on: it waits on, its response is resumed by its id, it goes on after
its last tool round, or it is begun anew in the messages that stand. Some have an end at once.
"""

from __future__ import annotations

from bot.history.anew import BEGUN, asks_anew
from bot.storage.records import TurnRecord
from bot.turn.answer_state import INTERRUPTED, Machine
from bot.turn.durability.tool_progress import read
from bot.turn.unread import nothing_to_answer
from bot.upstream.resume_point import Begun
from bot.values import Draft, Phase, Question

TRIES = 3
"""So many processes may die of a turn before it is given up."""

LOOP_SECONDS = 60.0
"""Dying so often within this time is no accident."""

NOT_TWICE = (
    "The bot was stopped after this answer had used a tool. It was not begun anew, so that "
    "nothing is done twice."
)
GIVEN_UP = "The bot stopped several times while it wrote this answer, so it was given up."

HINT = (
    "Hi! Ask me anything, for example:\n\n"
    "- *What are three good names for a release party?*\n"
    "- *Summarise this thread in five lines.*"
)


def knows_messages(record: TurnRecord, *, left: bool) -> bool:
    """Whether what is written down of an answer's messages is all that stands of it.

    `left`: whoever wrote it has let go of it in order. Else the first message may stand though
    nothing is written down, and so may one that is no plain message; of every other it is written
    down beforehand that it comes or goes.
    """
    methods = {message.method for message in record.messages}
    return bool(methods) and methods <= ({"edit", "native", "respond"} if left else {"edit"})


def begun(record: TurnRecord, now: float) -> Machine:
    """Return the machine a turn goes on with; it may be at its end. `now` is since the epoch."""
    response = response_of(record)
    cursor = response.cursor if response and response.position else ""
    before = read(record.tool_rounds).before
    machine = Machine(record.question.id, record.draft.text, cursor, before)
    machine.usage = record.usage
    if last := last_draft(record, now):
        machine.end(last)
    elif record.waiting:
        machine.wait_above()
    elif end := known_end(record.question):
        machine.end(end)
    return machine


def known_end(question: Question) -> Draft | None:
    """Say how a question is answered for which no model is needed; None for any other."""
    if not question.text.strip():
        return Draft(Phase.DONE, nothing_to_answer(question) or HINT)
    return Draft(Phase.DONE, BEGUN) if asks_anew(question) else None


def response_of(record: TurnRecord) -> Begun | None:
    """Return the response that an answer goes on with, if it can be resumed."""
    if not record.response_id:
        return None
    progress = read(record.tool_rounds)
    text = record.draft.text
    own = text[len(progress.before) :] if text.startswith(progress.before) else ""
    irreversible = record.irreversible and not progress.covers
    return Begun(record.response_id, own, record.cursor, irreversible)


def last_draft(record: TurnRecord, now: float) -> Draft | None:
    """Say how an answer ends that is taken over; None if it goes on.

    What was journalled as its end is only shown. A turn that has killed so many processes is not
    tried again, and in the end not even its text is shown, which may be what kills them.
    """
    if record.crash_count >= 2 * TRIES:
        return Draft(Phase.FAILED, "", _sentence(record))
    if record.draft.phase.final:
        return record.draft
    if record.waiting:
        return None
    if record.crash_count >= TRIES:
        return _given_up(record, now)
    if record.irreversible and not record.response_id and not read(record.tool_rounds).covers:
        return Draft(Phase.INTERRUPTED, record.draft.text, NOT_TWICE)
    return None


def _given_up(record: TurnRecord, now: float) -> Draft:
    first = now if record.first_crash_at is None else record.first_crash_at
    if abs(now - first) <= LOOP_SECONDS:
        return Draft(Phase.FAILED, record.draft.text, _sentence(record))
    return Draft(Phase.INTERRUPTED, record.draft.text, INTERRUPTED)


def _sentence(record: TurnRecord) -> str:
    return f"{GIVEN_UP} (reference {record.question.id})"
