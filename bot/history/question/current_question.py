"""Applies the present messages of a question in Slack to the stored question. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.history.converter import SlackMessage
from bot.render.incoming import QuestionContent, read_message, read_question
from bot.values import Message, Question, Said, reworded

CurrentMessages = Mapping[str, SlackMessage | None]
"""Messages of a question by ts; None for one that was deleted. A missing ts was not read."""


def apply_current_messages(
    question: Question, current: CurrentMessages, bot_user: str
) -> Question | None:
    """The question with the present text of its messages; None if all of them were deleted.

    A message that was not read keeps its stored text. A message that does not mention us any more
    still belongs to the question.
    """
    if not any(ts in current for ts in question.messages):
        return question
    messages = [ts for ts in question.messages if not (ts in current and is_deleted(current[ts]))]
    if not messages:
        return None
    known = {ts: stored for ts in messages if (stored := current.get(ts))}
    asked = {ts: _read_question(stored, bot_user) for ts, stored in known.items()}
    words: list[Said] = []
    for ts in messages:
        if ts in known:
            words.append(Said(_author(question, ts, known[ts]), ts, asked[ts].text))
        else:
            words += [one for one in question.words if one.ts == ts]
    contents = [asked[ts] for ts in messages if ts in asked]
    return reworded(_with_contents(question, contents, len(messages)), messages, words)


def unlisted_parts(stored: SlackMessage, question: Question) -> tuple[str, ...]:
    """Names of files and other parts of a question's message that are not known from its event.

    `app_mention` events leave files out, and the text that Slack shows of them
    (docs/slack.md#mentions). An event that has one file has all of them.
    """
    if question.files:
        return ()
    files = read_message({"files": stored.get("files")}).files
    names = dict.fromkeys((*files, *_unreadable_parts(stored)))
    return tuple(name for name in names if name not in question.unreadable)


def _read_question(stored: SlackMessage, bot_user: str) -> QuestionContent:
    asked = read_question(stored, {bot_user})
    return replace(asked, unreadable=_unreadable_parts(stored))


def _unreadable_parts(stored: SlackMessage) -> tuple[str, ...]:
    """Names of parts without readable text. Link previews don't count: Slack adds them later."""
    attachments = stored.get("attachments")
    listed = attachments if isinstance(attachments, list) else []
    forwarded = [each for each in listed if isinstance(each, dict) and each.get("is_share")]
    return read_message({**stored, "attachments": forwarded}).unreadable


def without_author(asked: Sequence[Message]) -> tuple[Message, ...]:
    """Remove the author from a question by one person without earlier messages.

    There is nobody to confuse the author with, no name has to be looked up, and the instructions
    need not explain how authors are marked.
    """
    authors = [message.author for message in asked]
    if len(authors) == 1 and authors[0] and authors[0].kind == "person":
        return (replace(asked[0], author=None),)
    return tuple(asked)


def is_deleted(stored: SlackMessage | None) -> bool:
    """Whether a message was deleted: one with replies leaves a tombstone."""
    return stored is None or stored.get("subtype") == "tombstone"


def _author(question: Question, ts: str, stored: SlackMessage) -> str:
    """The author of a message: the stored one, or the one that Slack names."""
    stored_author = (one.user for one in question.words if one.ts == ts)
    in_slack = str(stored.get("user") or stored.get("bot_id") or question.user)
    is_stored = question.said or not question.earlier
    return next(stored_author, in_slack) if is_stored else in_slack


def _with_contents(question: Question, contents: list[QuestionContent], total: int) -> Question:
    """The question with the mentions and files of its messages.

    They are not stored by message, so the stored ones are kept unless all messages were read.
    """
    base = () if len(contents) == total else (_stored_content(question),)
    parts = (*base, *contents)
    return replace(
        question,
        mentions=tuple(dict.fromkeys(user for one in parts for user in one.mentions)),
        files=tuple(dict.fromkeys(file for one in parts for file in one.files)),
        unreadable=tuple(dict.fromkeys(name for one in parts for name in one.unreadable)),
    )


def _stored_content(question: Question) -> QuestionContent:
    return QuestionContent(question.text, question.mentions, question.files, question.unreadable)
