"""Files and pictures of a question: the real bot, over the wire."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.config import CHAT_ONLY, NO_PICTURES
from bot.playground.model.server import ModelConfig
from bot.playground.slack.server import SlackConfig
from bot.words import Phrase
from tests.e2e.bot.running import System, markdown, running_system, start, status_text
from tests.support.pictures import png
from tests.support.words import english
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
PICTURE = f"- `chart.png`: a picture (image/png, {len(png()):,} bytes)"
NOTES = "- `notes.txt`: a file that begins with “Buy otters.”"


async def asked(system: System, text: str, *files: dict[str, Any], channel: str = "") -> str:
    """Ask a question with files; gives the answer, once it is whole, with its status line."""
    place = channel or live.GENERAL
    system.slack.workspace.say(place, text, files=files)
    await system.slack.until(lambda: any(map(is_whole, system.answers(place))), 30)
    [message] = filter(is_whole, system.answers(place))
    return f"{markdown(message)}\n{status_text(message)}"


def is_whole(message: dict[str, Any]) -> bool:
    """Whether nothing is written any more: there is no Stop button."""
    return bool(markdown(message)) and "stop" not in str(message["blocks"])


def chart(system: System, **options: Any) -> dict[str, Any]:
    return system.slack.workspace.upload("chart.png", png(), **options)


def notes(system: System, **options: Any) -> dict[str, Any]:
    return system.slack.workspace.upload("notes.txt", b"Buy otters.\n", **options)


@pytest.mark.parametrize("channel", [live.GENERAL, live.DM], ids=["channel", "dm"])
@pytest.mark.parametrize("model", ["gpt-5.4", "chat"], ids=["responses", "chat"])
async def test_model_is_given_picture_and_text_of_the_question(
    tmp_path: Path, channel: str, model: str
) -> None:
    variables = {"UPSTREAM_API": "chat"} if model != "gpt-5.4" else {}
    async with running_system(tmp_path, variables=variables) as system:
        text = f"{MENTION} what is this?" if channel == live.GENERAL else "what is this?"
        answer = await asked(system, text, chart(system), notes(system), channel=channel)
        assert PICTURE in answer
        assert NOTES in answer
        assert english(Phrase.PARTS_NOT_READ, names="x", count=1).strip("x") not in answer
        assert len(system.slack.called("chat.postMessage")) == 1


@pytest.mark.parametrize("channel", [live.GENERAL, live.DM], ids=["channel", "dm"])
async def test_file_without_words_is_a_question(tmp_path: Path, channel: str) -> None:
    async with running_system(tmp_path) as system:
        text = MENTION if channel == live.GENERAL else ""
        assert PICTURE in await asked(system, text, chart(system), channel=channel)


async def test_files_of_other_organisations_and_scanned_ones_are_asked_for(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        shared = chart(system, access="check_file_info")
        scanned = notes(system, scans=1)
        answer = await asked(system, f"{MENTION} what is this?", shared, scanned)
        assert PICTURE in answer
        assert NOTES in answer


async def test_login_page_is_no_file_and_the_log_names_the_scope(tmp_path: Path) -> None:
    config = SlackConfig(scopes=SlackConfig().scopes - {"files:read"})
    async with running_system(tmp_path, slack=config) as system:
        answer = await asked(system, f"{MENTION} echo hello", chart(system))
        assert english(Phrase.FILES_NOT_ALLOWED, names="chart.png", count=1) in answer
        assert "hello" in answer
        [line] = [one for one in system.bot.log if "files:read" in str(one.get("message"))]
        assert line["level"] == "warning"
        assert "xoxb" not in str(system.bot.log)
        assert "files-pri" not in str(system.bot.log)


async def test_reader_is_told_what_was_left_out_and_why(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"FILE_MAX_MB": "1"}) as system:
        upload = system.slack.workspace.upload
        files = [
            upload("plan.dwg", b"AC1032\0\0\0"),
            upload("large.png", png() + bytes(2**20)),
            upload("empty.txt", b""),
            upload("gone.txt", b"gone"),
        ]
        outside = {**files[2], "id": "F0", "name": "sheet", "url_private": "https://docs.example/a"}
        system.slack.workspace.files.remove(files[3]["id"])
        answer = await asked(system, f"{MENTION} echo hello", *files, outside)
        for name, phrase in {
            "plan.dwg": Phrase.FILES_OF_UNKNOWN_KIND,
            "large.png": Phrase.FILES_TOO_LARGE,
            "empty.txt": Phrase.FILES_EMPTY,
            "gone.txt": Phrase.FILES_GONE,
            "sheet": Phrase.FILES_OUTSIDE_SLACK,
        }.items():
            assert english(phrase, names=name, count=1) in answer


async def test_unreadable_file_without_words_is_said_without_asking_the_model(
    tmp_path: Path,
) -> None:
    async with running_system(tmp_path) as system:
        plan = system.slack.workspace.upload("plan.dwg", b"AC1032\0\0\0")
        answer = await asked(system, "", plan, channel=live.DM)
        assert "plan.dwg" in answer
        assert english(Phrase.FILES_OF_UNKNOWN_KIND, names="plan.dwg", count=1) in answer
        assert system.wire.requests == []


@pytest.mark.parametrize("model", [NO_PICTURES, CHAT_ONLY], ids=["responses", "chat"])
async def test_model_without_pictures_answers_from_the_text_and_is_not_sent_them_again(
    tmp_path: Path, model: str
) -> None:
    async with running_system(tmp_path, variables={"UPSTREAM_MODEL": model}) as system:
        left_out = english(Phrase.PICTURES_NOT_TAKEN, names="chart.png", count=1)
        first = await asked(system, f"{MENTION} what is this?", chart(system), notes(system))
        assert left_out in first
        assert NOTES in first
        assert "`chart.png`: which I can't see" in first
        second = await asked(system, "what is this?", chart(system), channel=live.DM)
        assert left_out in second
        refused = [e for e in system.model.log if e.what == "refused" and e.detail["status"] == 400]
        assert len(refused) == 1


async def test_picture_of_the_root_is_seen_by_a_later_question(tmp_path: Path) -> None:
    async with running_system(tmp_path) as system:
        say = system.slack.workspace.say
        root = say(live.GENERAL, "look at this", files=[chart(system)])
        say(live.GENERAL, f"{MENTION} echo hello", thread_ts=root.ts)
        await system.answered(live.GENERAL)
        assert "data:image/png;base64," in system.wire.requests[0]
        assert len(system.slack.log("slack", "url_private")) == 1


async def test_files_are_fetched_again_by_the_process_that_takes_the_question_over(
    tmp_path: Path,
) -> None:
    slow = ModelConfig(words_per_second=400, first_word_seconds=2)
    variables = {"UPSTREAM_BACKGROUND": "off"}
    async with running_system(tmp_path, model=slow, variables=variables) as system:
        system.slack.workspace.say(live.DM, "what is this?", files=[chart(system)])
        await system.slack.until(lambda: system.slack.log("slack", "url_private"))
        await system.slack.until(lambda: system.slack.called("chat.postMessage"))
        await system.bot.end(signal.SIGKILL)
        system.bot = await start(system.env, system.folder)
        try:
            await system.slack.until(lambda: any(map(is_whole, system.answers(live.DM))), 30)
            [message] = system.answers(live.DM)
            assert PICTURE in markdown(message)
            assert len(system.slack.log("slack", "url_private")) == 2
        finally:
            await system.bot.end()


async def test_files_are_not_read_if_file_max_mb_is_0(tmp_path: Path) -> None:
    async with running_system(tmp_path, variables={"FILE_MAX_MB": "0"}) as system:
        await asked(system, "echo hello", chart(system), channel=live.DM)
        assert not system.slack.log("slack", "url_private")
