"""One step at a time from the existing messages to the wanted ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.edits.reconcile import Delete, Edit, Post, PostedMessage, next_step
from bot.render.message import MessageBody

A, B, C = (MessageBody(text, "[]") for text in "abc")

bodies = st.lists(st.sampled_from([A, B, C]), max_size=5)


def shown(*found: MessageBody | None) -> list[PostedMessage]:
    return [PostedMessage(f"{n}.0", body) for n, body in enumerate(found)]


def test_next_step_leaves_messages_that_are_right() -> None:
    assert next_step(shown(A, B), [A, B]) is None


def test_next_step_edits_a_changed_message_before_it_posts() -> None:
    assert next_step(shown(A), [B, C]) == Edit(0, B)
    assert next_step(shown(B), [B, C]) == Post(1, C)


def test_next_step_edits_a_message_of_unknown_content() -> None:
    assert next_step(shown(None), [A]) == Edit(0, A)


def test_next_step_deletes_the_last_surplus_message_first() -> None:
    assert next_step(shown(A, B, C), [A]) == Delete(2)


def test_next_step_skips_messages_as_told() -> None:
    assert next_step(shown(A), [B, C], skip={0}) == Post(1, C)
    assert next_step(shown(A, C), [B, C], skip={0}) is None


@given(bodies, bodies)
def test_next_steps_end_at_the_wanted_messages(
    before: list[MessageBody], wanted: list[MessageBody]
) -> None:
    now = shown(*before)
    for _ in range(12):
        match next_step(now, wanted):
            case Edit(index, body):
                now[index] = PostedMessage(now[index].ts, body)
            case Post(_, body):
                now.append(PostedMessage("9.0", body))
            case Delete(index):
                del now[index]
            case None:
                break
    assert [message.body for message in now] == wanted
