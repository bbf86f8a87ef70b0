"""The state in which this process starts or resumes a turn. Pure: a record in, a state out.

An answer that another process began is continued where that is possible: it keeps waiting in its
thread, its response is resumed, or the model is asked again after the last tool round. Otherwise
the answer is restarted, and replaces the text of the messages that are in Slack. Some turns need no
model: their outcome is known at once.
"""

from __future__ import annotations

from bot.history.new_conversation import asks_for_new_conversation
from bot.storage.records import TurnRecord
from bot.turn.durability.crash_limit import CrashLimit, crash_limit
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.state.answer_state import AnswerState, with_reference
from bot.turn.state.unreadable_parts import wordless_question_reply
from bot.upstream.resume_point import ResumePoint
from bot.values import Draft, Phase, Question
from bot.words import Phrase, say


def message_list_is_complete(record: TurnRecord, *, clean_handover: bool) -> bool:
    """Whether the record names all messages of the answer that are in Slack.

    `clean_handover`: the owner released the turn at shutdown, when nothing was being written. After
    a crash, the record may miss the first message, and a stream or an ephemeral message; any other
    change of the messages was journalled first (`TurnCheckpoint.before_layout_change`).
    """
    methods = {message.method for message in record.messages}
    return bool(methods) and methods <= (
        {"edit", "native", "respond"} if clean_handover else {"edit"}
    )


def initial_state(record: TurnRecord, now: float) -> AnswerState:
    """The state a turn starts with; it may be final. `now` is in seconds since the epoch."""
    response = resume_point_of(record)
    cursor = response.cursor if response and response.parsed_cursor else ""
    before = parse_progress(record.tool_rounds).before
    question = record.question
    state = AnswerState(question.id, question.language, record.draft.text, cursor, before)
    state.usage = record.usage
    if end := end_at_takeover(record, now):
        state.end(end)
    elif record.waiting:
        state.queue_in_thread()
    elif end := predetermined_end(question):
        state.end(end)
    return state


def predetermined_end(question: Question, told: Phrase | None = None) -> Draft | None:
    """The answer to a question that needs no model; None for any other question.

    `told` is what its asker is told if it can't be answered. What files ask without words is known
    once they were read.
    """
    if told:
        return Draft(Phase.DONE, "", say(question.language, told))
    if not question.text.strip() and not question.files:
        hint = say(question.language, Phrase.EMPTY_QUESTION)
        return Draft(Phase.DONE, wordless_question_reply(question) or hint)
    if asks_for_new_conversation(question):
        return Draft(Phase.DONE, say(question.language, Phrase.NEW_CONVERSATION_STARTED))
    return None


def resume_point_of(record: TurnRecord) -> ResumePoint | None:
    """The response to resume; None if the model has to be asked again."""
    if not record.response_id:
        return None
    progress = parse_progress(record.tool_rounds)
    text = record.draft.text
    response_text = text[len(progress.before) :] if text.startswith(progress.before) else ""
    irreversible = record.irreversible and not progress.covers_all_effects
    return ResumePoint(record.response_id, response_text, record.cursor, irreversible)


def end_at_takeover(record: TurnRecord, now: float) -> Draft | None:
    """The final draft of an answer that is taken over; None if the answer is to be continued.
    `now` is in seconds since the epoch.

    - A final draft that was journalled is shown.
    - An answer that has crashed too often is given up (`crash_limit`).
    - After a tool that may have changed something the answer is not restarted. If it can neither
      be resumed nor continued after that tool, it is interrupted.
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
        return Draft(Phase.INTERRUPTED, record.draft.text, _say(record, Phrase.INTERRUPTED))
    if (
        record.irreversible
        and not record.response_id
        and not parse_progress(record.tool_rounds).covers_all_effects
    ):
        return Draft(Phase.INTERRUPTED, record.draft.text, _say(record, Phrase.NOT_REPEATED))
    return None


def _given_up_message(record: TurnRecord) -> str:
    question = record.question
    return with_reference(question.language, Phrase.GIVEN_UP, question.id)


def _say(record: TurnRecord, phrase: Phrase) -> str:
    return say(record.question.language, phrase)
