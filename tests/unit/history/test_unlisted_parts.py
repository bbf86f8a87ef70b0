"""What stands beside a question's words and its event leaves out: files of a mention."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.errors import SlackRateLimited
from bot.history.conversation import Conversation, History
from bot.history.names import UserNames
from bot.history.question.opening import may_lack_files
from bot.render.incoming.attachments import EMPTY_FORWARD_NAME
from bot.values import Attachment, File
from tests.support.virtual_time import run
from tests.unit.history.history_setup import (
    ROOT,
    channel_question,
    dm_question,
    history,
    texts,
    ts_at,
)
from tests.unit.history.stored_slack import BOT, StoredSlack

PDF = {"id": "F1", "name": "report.pdf", "filetype": "pdf", "mimetype": "application/pdf"}
NOTES = {"id": "F2", "name": "notes.txt", "filetype": "text", "preview": "Buy otters."}
REPORT = "report.pdf (PDF)"
PREVIEW = {"from_url": "https://a.example/x.png", "image_url": "https://a.example/x.png"}


def thread_of(count: int) -> StoredSlack:
    """A thread of so many messages, a minute apart."""
    slack = StoredSlack()
    slack.say(ROOT, "U1", "one", files=[{**PDF, "id": "F0", "name": "older.pdf"}])
    for n in range(1, count):
        slack.say(ts_at(60 * n), "U2", f"message {n}", under=ROOT)
    return slack


@pytest.mark.parametrize("count", [1, 2, 199, 200, 201, 1000])
def test_unlisted_file_of_a_mention_in_a_thread_is_read_with_the_thread(
    count: int,
) -> None:
    slack = thread_of(count)
    usual = read(slack, count)
    slack.calls.clear()
    slack = thread_of(count)
    found = read(slack, count, files=[PDF])
    assert (usual.question.unreadable, found.question.unreadable) == ((), (REPORT,))
    assert found.messages[:-1] == usual.messages[:-1]
    assert texts(found)[-1] == "and now?\n\n[file: report.pdf, PDF]"
    assert found.remark == usual.remark
    assert len(slack.called("conversations.replies")) <= 5


def read(slack: StoredSlack, minute: int, **more: Any) -> Conversation:
    """What is read for a question so many minutes after the root."""
    slack.say(ts_at(60 * minute), "U1", "and now?", under=ROOT, **more)
    return run(
        history(slack, 100_000).read_conversation(channel_question("and now?", ts_at(60 * minute)))
    )


class _NoReads:
    """A read limit that is used up."""

    def slot(self, method: str, *, wait: bool) -> AbstractAsyncContextManager[None]:
        assert not wait, "the remark about files is not worth waiting for"
        raise SlackRateLimited(method, 30.0)


def test_unlisted_parts_are_not_looked_up_while_the_read_limit_is_used_up() -> None:
    slack = StoredSlack()
    slack.say(ROOT, "U1", "what is this?", files=[PDF])
    client, question = slack.client(), channel_question("what is this?", ROOT, root=ROOT)
    reader = History(client, UserNames(client), bot_user=BOT, max_tokens=8000)
    assert run(reader.find_unlisted_parts(question)) == (REPORT,)
    client.limit_reads(_NoReads())
    assert run(reader.find_unlisted_parts(question)) == ()
    assert len(slack.called("conversations.history")) == 1


def test_thread_of_one_page_is_read_in_one_call_with_the_question() -> None:
    slack = thread_of(100)
    assert read(slack, 100, files=[PDF]).question.unreadable == (REPORT,)
    assert len(slack.called("conversations.replies")) == 1


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"files": [PDF, NOTES]}, (REPORT,)),
        ({"files": [PDF], "attachments": [PREVIEW]}, (REPORT,)),
        ({"attachments": [{"is_share": True}]}, (EMPTY_FORWARD_NAME,)),
        ({"attachments": [PREVIEW, "odd"], "files": ["odd", {}]}, ()),
        ({"attachments": "odd", "files": "odd"}, ()),
    ],
)
def test_unlisted_parts_name_files_without_text_and_no_link_previews(
    more: dict[str, Any], named: tuple[str, ...]
) -> None:
    assert read(thread_of(1), 1, **more).question.unreadable == named


def test_unlisted_parts_of_all_messages_of_a_question_are_named_once() -> None:
    slack = thread_of(1)
    slack.say(ts_at(1), "U1", "one", under=ROOT, files=[PDF])
    slack.say(ts_at(2), "U1", "two", under=ROOT, files=[PDF, NOTES])
    question = replace(channel_question("one\n\ntwo", ts_at(2)), earlier=(ts_at(1),))
    conversation = run(history(slack).read_conversation(question))
    assert conversation.question.unreadable == (REPORT,)
    assert "Buy otters." in texts(conversation)[-1]


@pytest.mark.parametrize(
    "known",
    [
        {"unreadable": (REPORT,)},
        {"unreadable": (REPORT,), "files": (File("F1", "report.pdf", "", 3, ""),)},
    ],
)
def test_unlisted_parts_leave_out_what_the_event_contained(known: dict[str, Any]) -> None:
    slack = thread_of(1)
    slack.say(ts_at(1), "U1", "one", under=ROOT, files=[PDF])
    assert run(
        history(slack).read_conversation(replace(channel_question("one", ts_at(1)), **known))
    ).question.unreadable == (REPORT,)
    slack.say(ts_at(2), "U1", "two", files=[PDF])
    root = replace(channel_question("two", ts_at(2), root=ts_at(2)), **known)
    assert run(history(slack).find_unlisted_parts(root)) == ()


def test_unlisted_file_of_a_mention_that_opens_a_thread_takes_one_call() -> None:
    slack = thread_of(1)
    slack.say(ts_at(1), "U1", "two", files=[PDF])
    slack.say(ts_at(2), "U1", "three", files=[NOTES])
    question = channel_question("two", ts_at(1), root=ts_at(1))
    assert run(history(slack).read_conversation(question)).question.unreadable == ()
    assert slack.calls == []
    assert run(history(slack).find_unlisted_parts(question)) == (REPORT,)
    assert [call.method for call in slack.calls] == ["conversations.history"]


def test_unlisted_parts_take_no_call_if_all_parts_are_known() -> None:
    slack = thread_of(1)
    for question in (
        channel_question("two", ts_at(1)),
        dm_question("two", ts_at(1)),
        replace(channel_question("two", ts_at(1)), ts=None),
    ):
        assert run(history(slack).find_unlisted_parts(question)) == ()
    assert slack.calls == []


@pytest.mark.parametrize("fault", ["missing_scope", "429:30", "lost"])
def test_unlisted_parts_are_empty_if_the_message_can_not_be_read(fault: str) -> None:
    slack = thread_of(1)
    slack.fault = lambda call: fault
    assert run(history(slack).find_unlisted_parts(channel_question("one", ROOT))) == ()
    slack.fault = lambda call: ""
    slack.seconds = lambda call: 60.0
    assert run(history(slack).find_unlisted_parts(channel_question("one", ROOT))) == ()


@dataclass
class Files:
    """A source of files that records what it is asked for, and gives a picture for each."""

    asked: list[File] = field(default_factory=list)
    earlier: list[File] = field(default_factory=list)

    async def read(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        self.asked += files
        return tuple(map(picture_of, files))

    async def read_earlier(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        self.earlier += files
        return tuple(map(picture_of, files))


def picture_of(file: File) -> Attachment:
    return Attachment(file.name, "image/png", data=b"1")


def image(n: int) -> dict[str, Any]:
    return {"id": f"F1{n}", "name": f"{n}.png", "mimetype": "image/png", "size": 3}


def test_files_of_a_mention_that_opens_a_thread_are_read_before_the_model_is_asked() -> None:
    slack, files = StoredSlack(), Files()
    slack.say(ROOT, "U1", "what is this?", files=[PDF | {"size": 3}])
    question = channel_question("what is this?", ROOT)
    found = run(history(slack).read_conversation(question, files=files))
    report = File("F1", "report.pdf", "application/pdf", 3, "")
    assert (files.asked, files.earlier) == ([report], [])
    assert found.messages[-1].attachments == (picture_of(report),)
    assert (found.knows_files, len(slack.calls)) == (True, 1)


def test_question_is_asked_without_its_files_if_slack_does_not_answer() -> None:
    slack, files = StoredSlack(fault=lambda call: "429:9"), Files()
    found = run(history(slack).read_conversation(channel_question("hello", ROOT), files=files))
    assert (texts(found), found.knows_files, files.asked) == (["hello"], False, [])


def test_first_four_pictures_of_the_root_are_read_and_other_earlier_files_are_only_named() -> None:
    slack, files = StoredSlack(), Files()
    slack.say(ROOT, "U1", "look", files=[NOTES, *map(image, range(6))])
    slack.say(ts_at(1), "U2", "and this", under=ROOT, files=[image(7)])
    slack.say(ts_at(2), "U1", "and now?", under=ROOT, files=[image(8)])
    question = channel_question("and now?", ts_at(2))
    found = run(history(slack).read_conversation(question, files=files))
    names = [[one.name for one in message.attachments] for message in found.messages]
    assert names == [["0.png", "1.png", "2.png", "3.png"], [], ["8.png"]]
    assert "[image: 7.png]" in found.messages[1].text


def test_only_a_mention_that_opens_a_thread_may_lack_files() -> None:
    opening = channel_question("hello", ROOT)
    known = replace(opening, files=(File("F1", "a", "", 1, ""),))
    questions = [opening, known, channel_question("hello", ts_at(1)), dm_question("hello", ROOT)]
    assert [may_lack_files(one) for one in questions] == [True, False, False, False]
