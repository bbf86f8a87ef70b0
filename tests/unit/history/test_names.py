"""Names never hold up a question."""

from __future__ import annotations

import asyncio

import pytest

from bot.history.converter import with_names
from bot.history.names import (
    FAILED_LOOKUP_TTL_SECONDS,
    MAX_LOOKUPS_PER_QUESTION,
    NAME_TTL_SECONDS,
    NAMES_TIMEOUT_SECONDS,
    UserNames,
)
from bot.render.incoming import read_message
from tests.support.virtual_time import now
from tests.unit.history.stored_slack import StoredSlack


def names_of(slack: StoredSlack) -> UserNames:
    return UserNames(slack.client(), now=now)


def looked_up(slack: StoredSlack) -> list[str]:
    return [str(given["user"]) for given in slack.called("users.info")]


@pytest.mark.parametrize("fault", ["", "user_not_found", "lost", "missing_scope"])
async def test_user_names_look_up_a_person_once_whatever_slack_answers(fault: str) -> None:
    slack = StoredSlack(fault=lambda call: fault)
    names = names_of(slack)
    for _ in range(120):
        await names.display_names(["U1"] * 120)
    assert looked_up(slack) == ["U1"]


@pytest.mark.parametrize(
    ("fault", "seconds"), [("", NAME_TTL_SECONDS), ("lost", FAILED_LOOKUP_TTL_SECONDS)]
)
async def test_user_names_look_up_a_person_again_after_the_ttl(fault: str, seconds: float) -> None:
    slack = StoredSlack(fault=lambda call: fault)
    names = names_of(slack)
    await names.display_names(["U1"])
    await asyncio.sleep(seconds - 1)
    await names.display_names(["U1"])
    assert len(looked_up(slack)) == 1
    slack.people["U1"], slack.fault = "Countess", lambda call: ""
    await asyncio.sleep(2)
    assert await names.display_names(["U1"]) == {"U1": "Countess"}


@pytest.mark.parametrize("seconds", [0.15, 3.0, 60.0])
async def test_user_names_of_a_question_take_a_second_at_most(seconds: float) -> None:
    people = {f"U{n}": f"Name {n}" for n in range(15)}
    slack = StoredSlack(people=people, seconds=lambda call: seconds)
    names = names_of(slack)
    began = now()
    found = await names.display_names(people)
    assert now() - began <= min(NAMES_TIMEOUT_SECONDS, seconds + 0.001)
    assert found == (people if seconds < NAMES_TIMEOUT_SECONDS else {})
    began = now()
    await names.display_names(people)
    assert now() - began == 0


async def test_user_names_use_a_late_lookup_for_the_next_question() -> None:
    slack = StoredSlack(seconds=lambda call: 3.0)
    names = names_of(slack)
    assert await names.display_names(["U1"]) == {}
    await asyncio.sleep(3)
    assert await names.display_names(["U1"]) == {"U1": "Ada"}
    assert looked_up(slack) == ["U1"]


async def test_user_names_share_a_lookup_between_questions() -> None:
    slack = StoredSlack(seconds=lambda call: 0.5)
    names = names_of(slack)
    both = await asyncio.gather(names.display_names(["U1"]), names.display_names(["U1"]))
    assert list(both) == [{"U1": "Ada"}, {"U1": "Ada"}]
    assert looked_up(slack) == ["U1"]


async def test_user_names_pause_lookups_while_rate_limited() -> None:
    slack = StoredSlack(fault=lambda call: "429:30")
    names = names_of(slack)
    assert await names.display_names(["U1"]) == {}
    await names.display_names(["U1", "U2"])
    await asyncio.sleep(29)
    await names.display_names(["U2"])
    assert looked_up(slack) == ["U1"]
    slack.fault = lambda call: ""
    await asyncio.sleep(2)
    assert await names.display_names(["U1"]) == {"U1": "Ada"}


async def test_user_names_look_up_twenty_people_per_question() -> None:
    slack = StoredSlack(people={})
    names = names_of(slack)
    await names.display_names(f"U{n}" for n in range(2000))
    assert looked_up(slack) == [f"U{n}" for n in range(MAX_LOOKUPS_PER_QUESTION)]


async def test_user_names_keep_an_expired_name_if_the_lookup_fails() -> None:
    slack = StoredSlack()
    names = names_of(slack)
    await names.display_names(["U1"])
    slack.fault = lambda call: "lost"
    await asyncio.sleep(NAME_TTL_SECONDS + 1)
    assert await names.display_names(["U1"]) == {"U1": "Ada"}


@pytest.mark.parametrize(
    ("mrkdwn", "read"),
    [
        ("<@U1> and <@U2|The CEO>", "@Ada and @U2"),
        ("<@U1|Bob>", "@Ada"),
        ("<@W9>", "@W9"),
        ("&lt;@U1&gt; was typed", "<@U1> was typed"),
    ],
)
def test_user_names_use_the_name_and_not_the_label(mrkdwn: str, read: str) -> None:
    message = read_message({"text": mrkdwn})
    assert with_names(message.text, {"U1": "Ada"}, message.mentions) == read
