"""How a turn begins here, whoever began it. Pure: a record in, a machine out.

An answer that was begun goes on: it waits on, its response is resumed by its id, it goes on after
its last tool round, or it is begun anew in the messages that stand. Some have an end at once.
"""

from __future__ import annotations

from bot.history.new_conversation import NEW_CONVERSATION_REPLY, asks_for_new_conversation
from bot.storage.records import TurnRecord
from bot.turn.answer_state import INTERRUPTED_MESSAGE, AnswerState
from bot.turn.durability.crash_limit import CrashLimit, crash_limit
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.unreadable_parts import wordless_question_reply
from bot.upstream.resume_point import ResumePoint
from bot.values import Draft, Phase, Question

NOT_REPEATED_MESSAGE = (
    "The bot was stopped after this answer had used a tool. It was not begun anew, so that "
    "nothing is done twice."
)
GIVEN_UP_MESSAGE = "The bot stopped several times while it wrote this answer, so it was given up."

EMPTY_QUESTION_HINT = (
    "Hi! Ask me anything, for example:\n\n"
    "- *What are three good names for a release party?*\n"
    "- *Summarise this thread in five lines.*"
)


def message_list_is_complete(record: TurnRecord, *, clean_handover: bool) -> bool:
    """Whether what is written down of an answer's messages is all that stands of it.

    `clean_handover`: whoever wrote it has let go of it in order. Else the first message may stand
    though nothing is written down, and so may one that is no plain message; of every other it is
    written down beforehand that it comes or goes.
    """
    methods = {message.method for message in record.messages}
    return bool(methods) and methods <= (
        {"edit", "native", "respond"} if clean_handover else {"edit"}
    )


def initial_state(record: TurnRecord, now: float) -> AnswerState:
    """Return the machine a turn goes on with; it may be at its end. `now` is since the epoch."""
    response = resume_point_of(record)
    cursor = response.cursor if response and response.parsed_cursor else ""
    before = parse_progress(record.tool_rounds).before
    machine = AnswerState(record.question.id, record.draft.text, cursor, before)
    machine.usage = record.usage
    if last := end_at_takeover(record, now):
        machine.end(last)
    elif record.waiting:
        machine.queue_in_thread()
    elif end := predetermined_end(record.question):
        machine.end(end)
    return machine


def predetermined_end(question: Question) -> Draft | None:
    """Say how a question is answered for which no model is needed; None for any other."""
    if not question.text.strip():
        return Draft(Phase.DONE, wordless_question_reply(question) or EMPTY_QUESTION_HINT)
    return (
        Draft(Phase.DONE, NEW_CONVERSATION_REPLY) if asks_for_new_conversation(question) else None
    )


def resume_point_of(record: TurnRecord) -> ResumePoint | None:
    """Return the response that an answer goes on with, if it can be resumed."""
    if not record.response_id:
        return None
    progress = parse_progress(record.tool_rounds)
    text = record.draft.text
    own = text[len(progress.before) :] if text.startswith(progress.before) else ""
    irreversible = record.irreversible and not progress.covers_all_effects
    return ResumePoint(record.response_id, own, record.cursor, irreversible)


def end_at_takeover(record: TurnRecord, now: float) -> Draft | None:
    """Say how an answer ends that is taken over; None if it goes on.

    What was journalled as its end is only shown. A turn that has killed so many processes is not
    tried again, and in the end not even its text is shown, which may be what kills them.
    """
    limit = crash_limit(record, now)
    if limit is CrashLimit.END_WITHOUT_TEXT:
        return Draft(Phase.FAILED, "", _given_up_message(record))
    if record.draft.phase.is_final:
        return record.draft
    if record.waiting:
        return None
    if limit is CrashLimit.END_AS_FAILED:
        return Draft(Phase.FAILED, record.draft.text, _given_up_message(record))
    if limit is CrashLimit.END_AS_INTERRUPTED:
        return Draft(Phase.INTERRUPTED, record.draft.text, INTERRUPTED_MESSAGE)
    if (
        record.irreversible
        and not record.response_id
        and not parse_progress(record.tool_rounds).covers_all_effects
    ):
        return Draft(Phase.INTERRUPTED, record.draft.text, NOT_REPEATED_MESSAGE)
    return None


def _given_up_message(record: TurnRecord) -> str:
    return f"{GIVEN_UP_MESSAGE} (reference {record.question.id})"
