"""A question as its messages show it, whatever was edited or deleted."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.history.question.current_question import apply_current_messages
from bot.render.incoming import read_question
from bot.slack.messages import fetch_messages
from bot.slack.threads import PAGE_MESSAGES
from bot.storage import rows
from bot.values import Question, join_paragraphs
from tests.support.virtual_time import run
from tests.unit.history.history_setup import ROOT, channel_question, ts_at
from tests.unit.history.stored_slack import BOT, StoredSlack

PDF = {"id": "F1", "name": "report.pdf", "mimetype": "application/pdf", "size": 3}
TEXT = st.sampled_from(["", "Why?", f"<@{BOT}> How?", "a\n\nb", "&lt;b&gt; <@U9>"])
FATE = st.sampled_from(["stays", "edited", "gone", "tombstone", "unread"])
PART = st.tuples(st.sampled_from(["U1", "U2", "U3"]), TEXT, FATE, TEXT, st.booleans())


def stored(ts: str, user: str, text: str, file: bool = False) -> dict[str, Any]:
    return {"ts": ts, "user": user, "text": text, "files": [PDF] if file else []}


def question_of(message: dict[str, Any]) -> Question:
    """The question of a message, as its event brings it."""
    found = read_question(message, {BOT})
    question = channel_question(found.text, message["ts"], user=message["user"])
    return replace(
        question, mentions=found.mentions, files=found.files, unreadable=found.unreadable
    )


def present_form(ts: str, user: str, text: str, fate: str, new: str, file: bool) -> Any:
    """What Slack shows of a message."""
    match fate:
        case "gone":
            return None
        case "tombstone":
            return {"ts": ts, "user": "USLACKBOT", "subtype": "tombstone", "text": "Deleted."}
        case "edited":
            return stored(ts, user, new, file)
    return stored(ts, user, text, file)


@given(st.lists(PART, min_size=1, max_size=5))
def test_current_question_has_the_present_text_and_authors(
    parts: list[tuple[str, str, str, str, bool]],
) -> None:
    messages = {ts_at(n): part for n, part in enumerate(parts, 1)}
    written = [stored(ts, user, text, file) for ts, (user, text, _, _, file) in messages.items()]
    question = reduce(rows.merge_questions, map(question_of, written))
    shown = {ts: present_form(ts, *part) for ts, part in messages.items() if part[2] != "unread"}
    now = apply_current_messages(question, shown, BOT)

    left = {ts: part for ts, part in messages.items() if part[2] not in {"gone", "tombstone"}}
    if not left:
        assert now is None
        return
    assert now is not None
    assert now.messages == tuple(left)
    words = {
        ts: (
            user,
            read_question(stored(ts, user, new if fate == "edited" else text, file), {BOT}).text,
        )
        for ts, (user, text, fate, new, file) in left.items()
    }
    assert now.text == join_paragraphs(*(text for _, text in words.values()))
    if now.text:
        said = [(one.ts, (one.user, one.text)) for one in now.words]
        assert said == [(ts, word) for ts, word in words.items() if word[1]]
        if shown:  # else nothing is known that was not known before
            assert now.user in {user for user, text in words.values() if text}
    if all(part[2] != "unread" for part in left.values()):
        assert bool(now.files) == any(file for *_, file in left.values())


@given(st.lists(PART, min_size=1, max_size=4))
def test_current_question_without_read_messages_is_unchanged(
    parts: list[tuple[str, str, str, str, bool]],
) -> None:
    question = reduce(
        rows.merge_questions,
        (
            question_of(stored(ts_at(n), user, text, file))
            for n, (user, text, _, _, file) in enumerate(parts)
        ),
    )
    assert apply_current_messages(question, {}, BOT) == question


def test_current_question_without_stored_text_has_the_authors_in_slack() -> None:
    both = rows.merge_questions(
        question_of(stored(ts_at(1), "U1", "Why?")), question_of(stored(ts_at(2), "U2", "How?"))
    )
    bare = replace(both, text="", said=())
    shown = {ts_at(1): stored(ts_at(1), "U1", "Why?"), ts_at(2): stored(ts_at(2), "U2", "How?")}
    assert apply_current_messages(bare, shown, BOT) == both


def test_fetch_messages_reads_messages_far_apart_one_by_one() -> None:
    slack = StoredSlack()
    slack.say(ROOT, "U1", "root")
    for n in range(1, PAGE_MESSAGES + 50):
        slack.say(ts_at(n), "U2", f"message {n}", under=ROOT)
    wanted = [ts_at(1), ts_at(PAGE_MESSAGES + 40), ts_at(PAGE_MESSAGES + 90)]
    found = run(fetch_messages(slack.client(), "C1", ROOT, wanted))
    assert [message and message["text"] for message in found.values()] == [
        "message 1",
        f"message {PAGE_MESSAGES + 40}",
        None,
    ]


def test_fetch_messages_reads_messages_close_together_in_one_call() -> None:
    slack = StoredSlack()
    slack.say(ROOT, "U1", "root")
    for n in range(1, 50):
        slack.say(ts_at(n), "U2", f"message {n}", under=ROOT)
    found = run(fetch_messages(slack.client(), "C1", ROOT, [ROOT, ts_at(3), ts_at(40)]))
    assert [message and message["text"] for message in found.values()] == [
        *("root", "message 3", "message 40"),
    ]
    assert len(slack.calls) == 1


def test_fetch_messages_returns_none_for_a_deleted_thread() -> None:
    assert run(fetch_messages(StoredSlack().client(), "C1", ROOT, [ts_at(1)])) == {ts_at(1): None}
