"""Shortcuts on a message: the real bot, Slack's real protocols, the demo model."""

from __future__ import annotations

import json
import signal
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.history.question.subject import SUBJECT_NOTE, SUMMARY_PROMPT
from bot.playground.slack.records import Channel
from bot.playground.slack.server import SlackConfig
from bot.render.shortcuts import ASK_ABOUT_SHORTCUT, EVERYBODY, ONLY_ME, SUMMARISE_SHORTCUT
from bot.words import Phrase
from tests.e2e.bot.running import (
    System,
    asked_by,
    is_finished,
    markdown,
    running_system,
    start,
    status_text,
    upstream_text,
)
from tests.e2e.bot.test_slash import (
    COUNT,
    SLOW,
    buttons,
    ephemeral_messages,
    press,
    texts_until_finished,
)
from tests.support.words import english
from tests.unit.playground import live

Message = dict[str, Any]
REPORT = "The nightly import takes an hour"
QUESTION = "count to 30"


def say(system: System, channel: str = live.GENERAL) -> str:
    """Ada writes two messages of a thread and one after them; gives the ts of the second."""
    workspace = system.slack.workspace
    root = workspace.say(channel, "Good morning", user=live.ADA)
    asked = workspace.say(channel, REPORT, user=live.ADA, thread_ts=root.ts)
    workspace.say(channel, "Lunch?", user=live.YOU, thread_ts=root.ts)
    return asked.ts


async def open_modal(system: System, channel: str, ts: str) -> dict[str, Any]:
    """Choose the shortcut on a message; gives the modal."""
    slack = system.slack
    slack.workspace.use_shortcut(channel, ts, ASK_ABOUT_SHORTCUT)
    await slack.until(lambda: slack.workspace.snapshot()["modal"])
    modal: dict[str, Any] = slack.workspace.snapshot()["modal"]
    assert REPORT in json.dumps(modal["blocks"])
    return modal


async def ask(system: System, channel: str, ts: str, audience: str) -> None:
    """Ask about a message; returns when the modal is closed."""
    modal = await open_modal(system, channel, ts)
    values = {"question": QUESTION, "audience": audience}
    system.slack.workspace.submit(modal["id"], values)
    await system.slack.until(lambda: system.slack.workspace.snapshot()["modal"] is None)


def asked_of_model(system: System) -> list[str]:
    """The requests for a response."""
    return [one for one in system.wire.requests if one.startswith("v1/responses")]


def told(system: System) -> str:
    """The request to the model."""
    [request] = asked_of_model(system)
    return request


def system_over(folder: Path, *, http: bool) -> AbstractAsyncContextManager[System]:
    """A bot that is connected by Socket Mode, or over HTTP."""
    if not http:
        return running_system(folder)
    port = live.free_port()
    slack = SlackConfig(events_url=f"http://127.0.0.1:{port}/slack/events")
    variables = {"SLACK_SIGNING_SECRET": slack.signing_secret, "PORT": str(port)}
    return running_system(folder, slack=slack, variables=variables)


@pytest.mark.parametrize("http", [False, True])
async def test_public_answer_stands_in_the_thread_and_says_who_asked_about_what(
    tmp_path: Path, http: bool
) -> None:
    async with system_over(tmp_path, http=http) as system:
        ts = say(system)
        await ask(system, live.GENERAL, ts, EVERYBODY)
        text = await system.answered(live.GENERAL)
        [answer] = system.answers(live.GENERAL)
        assert text.startswith("1 2 3")
        assert answer["thread_ts"] == system.slack.workspace.root_of(live.GENERAL, ts).ts  # type: ignore[union-attr] # it is there
        assert asked_by(answer) == f"<@{live.YOU}> asked about “{REPORT}”: {QUESTION}"
        assert all(call.ok for call in system.slack.calls)


async def test_model_is_told_the_thread_up_to_the_message(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        await ask(system, live.GENERAL, say(system), EVERYBODY)
        await system.answered(live.GENERAL)
        conversation = told(system)
        assert "Good morning" in conversation
        assert REPORT in conversation
        assert "Lunch?" not in conversation
        assert SUBJECT_NOTE in conversation


async def test_private_answer_is_seen_by_the_asker_only_and_can_be_shared_in_the_thread(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        ts = say(system)
        await ask(system, live.GENERAL, ts, ONLY_ME)

        def answers() -> list[Message]:
            found = ephemeral_messages(system, live.GENERAL)
            return [one for one in found if "Share here" in buttons(one)]

        await system.slack.until(answers, 20)
        [answer] = answers()
        root = system.slack.workspace.root_of(live.GENERAL, ts)
        assert root
        assert answer["thread_ts"] == root.ts
        assert system.answers(live.GENERAL) == []
        press(system, answer, "Share here", live.GENERAL)
        await system.answered(live.GENERAL)
        [shared] = system.answers(live.GENERAL)
        assert shared["thread_ts"] == root.ts
        assert REPORT in asked_by(shared)


async def test_channel_without_the_bot_gets_no_answer_but_the_asker_does(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        ts = workspace.say(live.RANDOM, REPORT, user=live.ADA).ts
        modal = await open_modal(system, live.RANDOM, ts)
        await system.slack.until(lambda: system.slack.called("views.update"))
        assert english(Phrase.ASK_ABOUT_PRIVATELY) in json.dumps(workspace.snapshot()["modal"])
        workspace.submit(modal["id"], {"question": QUESTION})

        def answers() -> list[Message]:
            return [m for m in ephemeral_messages(system, live.RANDOM) if "1 2 3" in markdown(m)]

        await system.slack.until(answers, 20)
        assert english(Phrase.ONLY_MESSAGE_READ) in status_text(answers()[0])
        assert REPORT in told(system)
        assert "invite" in status_text(answers()[0])


async def test_public_question_is_answered_privately_if_the_bot_left_meanwhile(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        ts = say(system)
        modal = await open_modal(system, live.GENERAL, ts)
        await system.slack.until(lambda: system.slack.called("conversations.replies"))
        channels = system.slack.workspace.channels
        left = channels[live.GENERAL].members - {live.BOT}
        channels[live.GENERAL] = replace(channels[live.GENERAL], members=left)
        values = {"question": QUESTION, "audience": EVERYBODY}
        system.slack.workspace.submit(modal["id"], values)

        def answers() -> list[Message]:
            return [m for m in ephemeral_messages(system, live.GENERAL) if "1 2 3" in markdown(m)]

        await system.slack.until(answers, 20)


async def test_message_in_our_direct_message_is_answered_in_its_thread(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"DELIVERY": "native"}) as system:
        workspace = system.slack.workspace
        workspace.say(live.DM, "hello")
        await system.answered(live.DM)
        [first] = system.answers(live.DM)
        workspace.use_shortcut(live.DM, first["ts"], ASK_ABOUT_SHORTCUT)
        await system.slack.until(lambda: workspace.snapshot()["modal"])
        modal = workspace.snapshot()["modal"]
        assert [block["block_id"] for block in modal["blocks"]][1:] == ["question"]
        workspace.submit(modal["id"], {"question": QUESTION})
        await system.slack.until(
            lambda: any("1 2 3" in markdown(m) for m in system.answers(live.DM)), 20
        )
        answer = system.answers(live.DM)[-1]
        assert answer["thread_ts"] == first["thread_ts"]


async def test_deleted_message_is_said_in_place_of_an_answer(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        ts = say(system)
        modal = await open_modal(system, live.GENERAL, ts)
        await system.slack.until(lambda: system.slack.called("conversations.replies"))
        system.slack.workspace.delete(live.GENERAL, ts)
        values = {"question": QUESTION, "audience": EVERYBODY}
        system.slack.workspace.submit(modal["id"], values)
        await system.bot.said("answer")
        [answer] = system.answers(live.GENERAL)
        assert english(Phrase.SUBJECT_DELETED) in status_text(answer)
        assert asked_of_model(system) == []


async def test_modal_of_a_deleted_message_says_so(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        ts = say(system)
        workspace.use_shortcut(live.GENERAL, ts, ASK_ABOUT_SHORTCUT)
        workspace.delete(live.GENERAL, ts)
        await system.slack.until(lambda: system.slack.called("views.update"))
        assert english(Phrase.ASK_ABOUT_DELETED) in json.dumps(workspace.snapshot()["modal"])


async def test_question_submitted_twice_is_answered_once_also_over_a_crash(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        system.model.set_faults(stall_at=0.5)
        ts = say(system)
        modal = await open_modal(system, live.GENERAL, ts)
        values = {"question": QUESTION, "audience": EVERYBODY}
        view = workspace.views.find(modal["id"])
        assert view
        workspace.submit(modal["id"], values)
        workspace.submit(modal["id"], values)
        await system.slack.until(lambda: system.answers(live.GENERAL), 20)
        await system.slack.until(lambda: workspace.snapshot()["modal"] is None)
        assert await system.bot.end(signal.SIGKILL) != 0
        system.model.set_faults(stall_at=None)
        system.bot = await start(system.env, system.folder)
        await system.slack.until(lambda: any(map(is_finished, system.answers(live.GENERAL))), 60)
        [answer] = system.answers(live.GENERAL)
        assert REPORT in asked_by(answer)
        await system.bot.end(signal.SIGKILL)


def finished_private(system: System, channel: str) -> list[Message]:
    """The private answers that have ended with text."""
    found = ephemeral_messages(system, channel)
    return [one for one in found if "Share here" in buttons(one)]


async def test_thread_is_summarised_for_the_asker_who_may_share_it(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        ts = say(system)
        workspace.use_shortcut(live.GENERAL, ts, SUMMARISE_SHORTCUT)
        await system.slack.until(lambda: finished_private(system, live.GENERAL), 20)
        [answer] = finished_private(system, live.GENERAL)
        assert "This thread has 3 messages." in markdown(answer)
        assert REPORT in markdown(answer)
        assert "Lunch?" in markdown(answer)
        assert SUMMARY_PROMPT in told(system)
        assert system.answers(live.GENERAL) == []
        press(system, answer, "Share here", live.GENERAL)
        assert "This thread has 3 messages." in await system.answered(live.GENERAL)
        [shared] = system.answers(live.GENERAL)
        assert english(Phrase.SUMMARISE_THREAD) in asked_by(shared)
        assert all(call.ok for call in system.slack.calls)


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        (live.GENERAL, Phrase.NOTHING_TO_SUMMARISE),
        (live.RANDOM, Phrase.SUMMARY_NOT_A_MEMBER),
    ],
)
async def test_thread_that_can_not_be_summarised_is_explained_to_the_asker(
    tmp_path: Path, channel: str, said: Phrase
) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        ts = workspace.say(channel, REPORT, user=live.ADA).ts
        workspace.use_shortcut(channel, ts, SUMMARISE_SHORTCUT)

        def told_so() -> bool:
            found = ephemeral_messages(system, channel)
            return any(english(said) in status_text(one) for one in found)

        await system.slack.until(told_so, 20)
        assert asked_of_model(system) == []
        assert system.answers(channel) == []


async def test_message_in_the_direct_message_of_others_is_answered_to_the_asker_only(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        theirs = Channel("D0000000ADA", "ada", "im", frozenset({live.YOU, live.ADA}))
        workspace.channels[theirs.id] = theirs
        ts = workspace.say(theirs.id, REPORT, user=live.ADA).ts
        modal = await open_modal(system, theirs.id, ts)
        await system.slack.until(lambda: system.slack.called("views.update"))
        assert english(Phrase.ASK_ABOUT_PRIVATELY) in json.dumps(workspace.snapshot()["modal"])
        workspace.submit(modal["id"], {"question": QUESTION})
        await system.slack.until(lambda: finished_private(system, theirs.id), 20)
        [answer] = finished_private(system, theirs.id)
        assert markdown(answer).startswith("1 2 3")
        assert english(Phrase.ONLY_MESSAGE_READ) in status_text(answer)
        assert system.answers(live.DM) == []


async def test_private_answer_is_shown_in_its_thread_as_it_is_written(tmp_path: Path) -> None:
    async with running_system(tmp_path, model=SLOW) as system:
        ts = say(system)
        modal = await open_modal(system, live.GENERAL, ts)
        values = {"question": COUNT, "audience": ONLY_ME}
        system.slack.workspace.submit(modal["id"], values)
        await system.slack.until(lambda: ephemeral_messages(system, live.GENERAL))
        [note] = ephemeral_messages(system, live.GENERAL)
        root = system.slack.workspace.root_of(live.GENERAL, ts)
        assert root
        assert note["thread_ts"] == root.ts
        press(system, note, "Show as it is written", live.GENERAL)
        texts = [text for text in await texts_until_finished(system, live.GENERAL) if text]
        assert len(texts) >= 2
        [answer] = ephemeral_messages(system, live.GENERAL)
        assert (answer["ts"], answer["thread_ts"]) == (note["ts"], root.ts)


@pytest.mark.parametrize("words", [COUNT, "write 2300 words"])
async def test_private_answer_comes_once_also_over_a_crash(tmp_path: Path, words: str) -> None:
    async with running_system(tmp_path) as system:
        workspace = system.slack.workspace
        system.model.set_faults(stall_at=0.5)
        modal = await open_modal(system, live.GENERAL, say(system))
        workspace.submit(modal["id"], {"question": words, "audience": ONLY_ME})
        await system.bot.said("question")
        await system.slack.until(lambda: workspace.snapshot()["modal"] is None)
        assert await system.bot.end(signal.SIGKILL) != 0
        system.model.set_faults(stall_at=None)
        system.bot = await start(system.env, system.folder)
        assert (await system.bot.said("answer"))["outcome"] == "done"
        [answer] = finished_private(system, live.GENERAL)
        rest = "".join(markdown(one) for one in system.answers(live.DM))
        assert "".join((markdown(answer) + rest).split()) == "".join(upstream_text(words).split())
        assert system.answers(live.GENERAL) == []
        await system.bot.end(signal.SIGKILL)
