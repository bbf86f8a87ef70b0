"""The mention of the asker below an answer is posted once, or left out for a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.mention import MENTION_TIMEOUT_SECONDS, is_mention_wanted
from bot.storage.records import ShownMessage
from bot.values import MENTION_EVENT_TYPE, Place, Question
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    ROOT,
    THINKING,
    command,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
)
from tests.unit.delivery.fake_slack import FakeSlack

MENTION = "<@U1> your answer is here."


class Guard:
    """A turn's `MentionGuard` in memory."""

    def __init__(self) -> None:
        self.has_lease = self.can_journal = True
        self.journalled = 0

    def owns_lease(self) -> bool:
        return self.has_lease

    async def before_mention(self) -> bool:
        self.journalled += self.can_journal
        return self.can_journal


async def mention(
    fake: FakeSlack,
    asked: Question | None = None,
    *,
    guard: Guard | None = None,
    may_exist: bool = False,
    answer: Sequence[ShownMessage] = (ShownMessage("950.1", "C0"),),
) -> None:
    asked = asked or question()
    if asked.ts not in fake.deleted_roots:
        fake.add_messages(asked)
    async with open_delivery(fake) as delivery:
        await delivery.mention_asker(
            asked, MENTION, answer, guard=guard or Guard(), may_exist=may_exist
        )


def mentions(fake: FakeSlack) -> list[str]:
    """The mentions that stand in the thread."""
    return [message.text for message in fake.thread(ROOT) if message.text == MENTION]


async def test_asker_is_mentioned_in_the_thread_once_that_is_journalled() -> None:
    fake, guard = FakeSlack(), Guard()
    await mention(fake, guard=guard)
    assert mentions(fake) == [MENTION]
    assert guard.journalled == 1


async def test_mention_is_left_out_if_it_cannot_be_journalled() -> None:
    fake, guard = FakeSlack(), Guard()
    guard.can_journal = False
    await mention(fake, guard=guard)
    assert fake.count("chat.postMessage") == 0


async def test_mention_is_not_repeated_after_its_response_was_lost() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", "lost")
    await mention(fake)
    assert mentions(fake) == [MENTION]


async def test_mention_is_repeated_after_it_failed() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", 503)
    await mention(fake)
    assert mentions(fake) == [MENTION]


async def test_next_owner_finds_the_mention_of_a_process_that_died() -> None:
    fake = FakeSlack()
    await mention(fake)
    await mention(fake, may_exist=True)
    assert mentions(fake) == [MENTION]


async def test_next_owner_posts_the_mention_that_was_only_journalled() -> None:
    fake = FakeSlack()
    await mention(fake, may_exist=True)
    assert mentions(fake) == [MENTION]


async def test_mention_is_left_out_after_its_asker_has_written_in_the_thread() -> None:
    fake = FakeSlack()
    fake.people["C0", "940.1"] = {"ts": "940.1", "user": "U1", "text": "hm", "thread_ts": ROOT}
    await mention(fake)
    assert fake.count("chat.postMessage") == 0


async def test_mention_is_posted_though_another_person_has_written_in_the_thread() -> None:
    fake = FakeSlack()
    fake.people["C0", "940.1"] = {"ts": "940.1", "user": "U2", "text": "hm", "thread_ts": ROOT}
    await mention(fake)
    assert mentions(fake) == [MENTION]


async def test_mention_is_posted_though_the_asker_wrote_before_the_question() -> None:
    fake = FakeSlack()
    asked = question(ts="930.1")
    fake.people["C0", ROOT] = {"ts": ROOT, "user": "U1", "text": "hm"}
    await mention(fake, asked)
    assert mentions(fake) == [MENTION]


async def test_mention_is_left_out_if_the_question_was_deleted() -> None:
    fake = FakeSlack()
    fake.people["C0", ROOT] = {"ts": ROOT, "user": "U2", "text": "hm"}
    asked = question(ts="930.1")
    async with open_delivery(fake) as delivery:  # the thread has no message 930.1
        await delivery.mention_asker(
            asked, MENTION, [ShownMessage("950.1", "C0")], guard=Guard(), may_exist=False
        )
    assert fake.count("chat.postMessage") == 0


async def test_mention_is_left_out_if_the_thread_was_deleted() -> None:
    fake = FakeSlack()
    fake.deleted_roots.add(ROOT)
    await mention(fake)
    assert fake.count("chat.postMessage") == 0


async def test_mention_outside_of_a_thread_that_has_just_gone_is_deleted() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: fake.deleted_roots.add(ROOT) if call.method[:4] == "chat" else None
    await mention(fake)
    assert fake.count("chat.postMessage") == 1
    assert not fake.messages


@pytest.mark.parametrize("may_exist", [False, True])
async def test_mention_is_posted_at_most_once_where_the_bot_may_not_read(may_exist: bool) -> None:
    fake = FakeSlack()
    fake.fault = fail_always("conversations.replies", "missing_scope")
    await mention(fake, may_exist=may_exist)
    assert len(mentions(fake)) == (not may_exist)


async def test_refused_mention_is_given_up() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.postMessage", "restricted_action")
    await mention(fake)
    assert fake.count("chat.postMessage") == 1


async def test_mention_waits_for_the_lease() -> None:
    fake, guard = FakeSlack(), Guard()
    guard.has_lease = False
    sending = asyncio.create_task(mention(fake, guard=guard))
    await asyncio.sleep(5)
    assert fake.count("chat.postMessage") == 0
    guard.has_lease = True
    await sending
    assert mentions(fake) == [MENTION]


async def test_mention_that_cannot_be_posted_for_a_minute_is_left_out() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("conversations.replies", 503)
    await mention(fake)
    assert now() == pytest.approx(MENTION_TIMEOUT_SECONDS, abs=1)
    assert not fake.messages


async def test_mention_waits_as_long_as_slack_says() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", "429:7")
    await mention(fake)
    assert mentions(fake) == [MENTION]
    assert now() >= 7


async def test_answer_in_a_direct_message_mentions_nobody() -> None:
    fake = FakeSlack()
    place = Place("T1", "D1", "dm", ROOT)
    await mention(fake, question(place=place), answer=[ShownMessage("950.1", "D1")])
    assert not fake.calls


async def test_asker_of_a_public_command_is_mentioned_below_the_answer() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(command(public=True))
        await reply.open(THINKING)
        await reply.finish(done("Because."))
        [answer] = fake.messages
        shown = [ShownMessage(answer, "C1")]
        await delivery.mention_asker(
            command(public=True), MENTION, shown, guard=Guard(), may_exist=False
        )
    assert [message.text for message in fake.thread(answer)] == [MENTION]


async def test_asker_of_a_private_answer_is_mentioned_in_private() -> None:
    fake, guard = FakeSlack(), Guard()
    await mention(fake, command(), guard=guard, answer=[ShownMessage("", "", "respond")])
    [sent] = fake.ephemeral_messages
    assert (sent["text"], sent["response_type"]) == (MENTION, "ephemeral")
    assert guard.journalled == 1


@pytest.mark.parametrize("fault", [503, "429:3", None])
async def test_private_mention_is_sent_at_most_once(fault: str | int | None) -> None:
    fake = FakeSlack()
    fake.fault = fail_once("response_url", fault) if fault else fake.fault
    private = [ShownMessage("", "", "respond")]
    await mention(fake, command(), answer=private)
    await mention(fake, command(), answer=private, may_exist=True)
    assert len(fake.ephemeral_messages) == (fault != 503)


async def test_private_answer_that_goes_on_in_the_direct_message_mentions_nobody() -> None:
    fake = FakeSlack()
    answer = [ShownMessage("", "", "respond"), ShownMessage("950.1", "DU1")]
    await mention(fake, command(), answer=answer)
    assert not fake.calls


async def test_removed_answer_mentions_nobody() -> None:
    fake = FakeSlack()
    await mention(fake, answer=[])
    assert not fake.calls


async def test_end_of_another_answer_does_not_wait_for_mentions() -> None:
    fake = FakeSlack()
    asked = [question(n, channel="C0", ts=f"91{n}.1", user=f"UA{n}") for n in range(6)]
    for one in asked:
        fake.add_messages(one)
    shown = [ShownMessage("950.1", "C0")]
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(9, channel="C0"))
        await reply.open(THINKING)
        sent = [
            asyncio.create_task(
                delivery.mention_asker(one, MENTION, shown, guard=Guard(), may_exist=False)
            )
            for one in asked
        ]
        await asyncio.sleep(2)
        began = now()
        await reply.finish(done("Because."))
        assert now() - began < 0.5
        await asyncio.gather(*sent)
    posts = [call.at for call in fake.calls if call.method == "chat.postMessage"]
    assert all(later - one > 0.9 for one, later in zip(posts, posts[3:], strict=False))
    assert len(posts) == 1 + len(asked)


ASKED = question(ts="930.000001")
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "ts": st.sampled_from([ROOT, "920.1", "930.000001", "930.000002", "940.1"]),
            "user": st.sampled_from(["U1", "U2", "UBOT"]),
        },
        optional={
            "subtype": st.sampled_from(["tombstone", "thread_broadcast"]),
            "metadata": st.fixed_dictionaries(
                {
                    "event_type": st.sampled_from([MENTION_EVENT_TYPE, "llm_answer"]),
                    "event_payload": st.sampled_from([{"turn": ASKED.id}, {"turn": "other"}, {}]),
                }
            ),
        },
    ),
    max_size=6,
)


@given(MESSAGES)
def test_mention_is_wanted_only_below_a_question_whose_asker_was_silent(
    messages: list[dict[str, Any]],
) -> None:
    wanted = is_mention_wanted(ASKED, str(ASKED.ts), messages)
    later = [one for one in messages if one["ts"] > str(ASKED.ts)]
    own = [one for one in later if one["user"] == "U1"]
    told = [
        one
        for one in messages
        if one.get("metadata")
        == {"event_type": MENTION_EVENT_TYPE, "event_payload": {"turn": ASKED.id}}
    ]
    stands = any(one["ts"] == ASKED.ts and one.get("subtype") != "tombstone" for one in messages)
    assert wanted == (stands and not own and not told)
