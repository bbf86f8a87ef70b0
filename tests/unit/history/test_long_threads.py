"""Threads of any length: the first message and the newest ones, and a remark about the rest."""

from __future__ import annotations

import pytest

from bot.history.fitting import remarks
from bot.upstream.prompt import Prompt
from bot.values import Message, Usage
from tests.support.virtual_time import run
from tests.support.words import EN
from tests.unit.history.history_setup import ROOT, channel_question, history, texts, ts_at
from tests.unit.history.stored_slack import StoredSlack


def thread_of(count: int, words: str = "message {n}", *, bare: bool = False) -> StoredSlack:
    """A thread of so many messages a minute apart, its root among them; `bare`: the root comes
    with the first page only."""
    slack = StoredSlack(root_on_every_page=not bare)
    slack.say(ROOT, "U1", words.format(n=0))
    for n in range(1, count):
        slack.say(ts_at(60 * n), "U2", words.format(n=n), under=ROOT)
    return slack


def ask(slack: StoredSlack, minute: float) -> str:
    """Write a question so many minutes after the root."""
    slack.say(ts_at(60 * minute), "U1", "and now?", under=ROOT)
    return ts_at(60 * minute)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("count", [2, 199, 201, 399, 1000, 2500])
def test_long_thread_includes_the_first_message_and_the_newest_in_order(
    count: int, bare: bool
) -> None:
    slack = thread_of(count, bare=bare)
    conversation = run(
        history(slack, 100_000).read_conversation(channel_question("and now?", ask(slack, count)))
    )
    told = texts(conversation)
    assert (told[0], told[-1]) == ("message 0", "and now?")
    numbers = [int(text.split()[1]) for text in told[1:-1] if text.startswith("message")]
    assert numbers == list(range(count - len(numbers), count))
    assert len(numbers) >= min(count - 1, 149)
    assert len(slack.called("conversations.replies")) <= 5
    missing = count - 1 - len(numbers)
    assert bool(conversation.remark) == bool(missing)
    if missing:
        assert conversation.remark == (
            f"The first message and the newest {len(numbers)} of about {count:,} messages of "
            f"this thread were read; about {missing:,} were left out between"
        )
        assert told[1] == f"[About {missing:,} messages of this thread are left out here]"


def test_long_thread_takes_one_page_for_later_questions() -> None:
    slack = thread_of(1000)
    reading = history(slack, 100_000)
    run(reading.read_conversation(channel_question("and now?", ask(slack, 1000))))
    before = len(slack.calls)
    for n in range(1001, 1041):
        told = texts(run(reading.read_conversation(channel_question("and now?", ask(slack, n)))))
        assert told[0] == "message 0"
        assert "message 999" in told
        assert told.count("and now?") == n - 1000 + 1
    pages = [call for call in slack.calls[before:] if call.method == "conversations.replies"]
    assert len(pages) == 40
    assert all(call.given["limit"] <= 200 for call in pages)


def test_long_thread_reflects_edits_and_deletions() -> None:
    slack = thread_of(1000)
    reading = history(slack, 100_000)
    run(reading.read_conversation(channel_question("and now?", ask(slack, 1000))))
    slack.edit(ROOT, "a new beginning")
    slack.edit(ts_at(60 * 990), "changed")
    slack.delete(ts_at(60 * 991))
    told = texts(run(reading.read_conversation(channel_question("and now?", ask(slack, 1001)))))
    assert told[0] == "a new beginning"
    assert "changed" in told
    assert not {"message 0", "message 990", "message 991"} & set(told)


def test_long_thread_leaves_out_messages_between_the_first_and_the_newest() -> None:
    slack = thread_of(10, "message {n} " + "x" * 400)
    conversation = run(
        history(slack, 600).read_conversation(channel_question("and now?", ask(slack, 10)))
    )
    told = [text.split(" x")[0] for text in texts(conversation)]
    left_out = "[5 messages of this thread are left out here]"
    newest = [f"message {n}" for n in (6, 7, 8, 9)]
    assert told == ["message 0", left_out, *newest, "and now?"]
    assert conversation.remark == (
        "The first message and the newest 4 of 10 messages of this thread were read; "
        "5 were left out between"
    )


def test_learnt_token_rate_decides_how_much_fits() -> None:
    slack = thread_of(10, "message {n} " + "x" * 400)
    question = channel_question("and now?", ask(slack, 10))
    reading = history(slack, 600)
    few = len(texts(run(reading.read_conversation(question))))
    prompt = Prompt("", (Message("user", "x" * 8000),))
    reading.learn_token_rate(prompt, Usage(input_tokens=1000))
    assert len(texts(run(reading.read_conversation(question)))) > few


def test_long_thread_with_a_deleted_root_has_its_other_messages() -> None:
    slack = thread_of(5)
    slack.channels["C1"][ROOT] |= {"subtype": "tombstone", "text": "This message was deleted."}
    told = texts(run(history(slack).read_conversation(channel_question("and now?", ask(slack, 5)))))
    assert told == ["message 1", "message 2", "message 3", "message 4", "and now?"]


def test_long_thread_of_one_unknown_author_takes_one_name_lookup() -> None:
    slack = thread_of(120)
    slack.people = {}
    reading = history(slack, 100_000)
    for minute in (120, 121):
        run(reading.read_conversation(channel_question("and now?", ask(slack, minute))))
    assert sorted(str(given["user"]) for given in slack.called("users.info")) == ["U1", "U2"]


@pytest.mark.parametrize(
    ("parts", "about", "said"),
    [
        ((1, 9, 0), False, ""),
        (
            (1, 180, 819),
            False,
            "The first message and the newest 180 of 1,000 messages of this thread were read; "
            "819 were left out between",
        ),
        (
            (1, 2, 1),
            False,
            "The first message and the newest 2 of 4 messages of this thread were read; "
            "1 was left out between",
        ),
        (
            (0, 2, 5),
            True,
            "The newest 2 of about 7 messages of this thread were read; "
            "about 5 were left out before them",
        ),
        (
            (1, 0, 5),
            False,
            "Only the first of 6 messages of this thread was read; 5 were left out after it",
        ),
        ((0, 0, 1), False, "The 1 message before this question did not fit and was left out"),
        ((0, 0, 3), False, "The 3 messages before this question did not fit and were left out"),
    ],
)
def test_left_out_remark_says_what_was_read_and_what_was_not(
    parts: tuple[int, int, int], about: bool, said: str
) -> None:
    assert remarks.left_out_remark(EN, *parts, is_estimate=about) == said
