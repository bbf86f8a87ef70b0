"""Every command as a person types it, in its own process."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.feedback_report import NO_VOTES
from bot.manifest import bot_scopes
from bot.playground.model.server import ModelConfig
from bot.playground.slack.server import SlackConfig
from bot.storage.engine.database import open_database
from bot.storage.records import Vote
from bot.storage.votes import VoteStore
from tests.e2e.bot.running import demo_model, environment
from tests.unit.playground import live

NOWHERE = "http://127.0.0.1:9"
FAST = ModelConfig(words_per_second=2000, first_word_seconds=0.01, api_key="sk-right")


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


async def bot(folder: Path, *arguments: str, **values: str) -> Ended:
    """Run `python -m bot …` in an empty folder, with these variables and no others of ours."""
    env: Mapping[str, str] = environment(folder, **values)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_ask_streams_one_answer_to_the_terminal(tmp_path: Path) -> None:
    async with demo_model(FAST) as (url, _):
        ended = await bot(
            tmp_path, "ask", "hello", UPSTREAM_BASE_URL=url, UPSTREAM_API_KEY="sk-right"
        )
    assert ended.code == 0
    assert "demo" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param({"UPSTREAM_API_KEY": "sk-wrong"}, "key", id="a wrong key"),
        pytest.param({"UPSTREAM_MODEL": "no-such-model"}, "no-such-model", id="no such model"),
        pytest.param(
            {"UPSTREAM_BASE_URL": NOWHERE, "UPSTREAM_ATTEMPTS": "0"}, "reached", id="no server"
        ),
    ],
)
async def test_ask_says_in_one_sentence_why_there_is_no_answer(
    tmp_path: Path, values: dict[str, str], says: str
) -> None:
    async with demo_model(FAST) as (url, _):
        given = {"UPSTREAM_BASE_URL": url, "UPSTREAM_API_KEY": "sk-right"} | values
        ended = await bot(tmp_path, "ask", "hello", **given)
    assert ended.code == 1
    assert ended.out.strip() == ""
    assert says in ended.err
    assert "Traceback" not in ended.err


async def test_ask_without_a_key_says_which_variable_is_missing(tmp_path: Path) -> None:
    ended = await bot(tmp_path, "ask", "hello")
    assert ended.code == 2
    assert ended.err.startswith("UPSTREAM_API_KEY is missing")


async def test_ask_resumes_a_dropped_answer_where_it_broke_off(tmp_path: Path) -> None:
    async with demo_model(FAST) as (url, board):
        given = {"UPSTREAM_BASE_URL": url, "UPSTREAM_API_KEY": "sk-right"}
        whole = await bot(tmp_path, "ask", "write a long essay", **given)
        board.set_faults(drop_at=0.5)
        given["UPSTREAM_BACKGROUND"] = "on"
        dropped = await bot(tmp_path, "ask", "write a long essay", **given)
    assert dropped.code == 0
    assert "Reconnecting (1/5)" in dropped.err
    assert dropped.out == whole.out


async def test_check_passes_if_everything_is_set_up(tmp_path: Path) -> None:
    config = SlackConfig(scopes=bot_scopes())
    async with live.slack(config) as slack, demo_model(FAST) as (url, _):
        ended = await bot(
            tmp_path,
            "check",
            SLACK_API_URL=slack.api_url,
            SLACK_BOT_TOKEN=config.bot_token,
            SLACK_APP_TOKEN=config.app_token,
            UPSTREAM_BASE_URL=url,
            UPSTREAM_API_KEY="sk-right",
        )
    assert ended.code == 0, ended
    assert ended.out.count("✓") == 5
    assert "✗" not in ended.out
    assert "openai_responses" in ended.out


async def test_check_detects_a_refused_key_if_the_server_lists_models_without_one(
    tmp_path: Path,
) -> None:
    async with demo_model(FAST) as (url, _):
        ended = await bot(
            tmp_path, "check", UPSTREAM_BASE_URL=url, UPSTREAM_API_KEY="sk-hidden-and-wrong"
        )
    [line] = [line for line in ended.out.splitlines() if "Model" in line]
    assert line.startswith("✗")
    assert "key" in line
    assert "sk-hidden" not in ended.out


async def test_check_says_how_to_fix_what_is_missing(tmp_path: Path) -> None:
    config = SlackConfig(scopes=bot_scopes() - {"users:read"})
    async with live.slack(config) as slack:
        ended = await bot(
            tmp_path,
            "check",
            SLACK_API_URL=slack.api_url,
            SLACK_BOT_TOKEN=config.bot_token,
            SLACK_APP_TOKEN="xapp-wrong",
            UPSTREAM_BASE_URL=NOWHERE,
            DATABASE_URL=f"sqlite:///{tmp_path}/none/bot.db",
        )
    assert ended.code == 1
    well, ill = ended.out.count("✓"), ended.out.count("✗")
    assert (well, ill) == (1, 4), ended.out
    assert "missing users:read" in ended.out
    assert "connections:write" in ended.out
    assert "can't be reached" in ended.out
    assert "this user may write it" in ended.out
    assert "wrong" not in ended.out


async def test_bot_without_a_command_joins_slack_if_a_secret_of_slack_is_set(
    tmp_path: Path,
) -> None:
    ended = await bot(tmp_path, SLACK_APP_TOKEN="xapp-1")
    assert ended.code == 2
    assert "SLACK_BOT_TOKEN is missing" in ended.err


async def test_check_without_anything_set_names_what_to_set(tmp_path: Path) -> None:
    ended = await bot(tmp_path, "check")
    assert ended.code == 1
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "UPSTREAM_API_KEY"):
        assert name in ended.out


@pytest.mark.parametrize("form", ["sqlite", "sqlite+aiosqlite"])
async def test_migrate_makes_the_database_ready_and_does_it_once(tmp_path: Path, form: str) -> None:
    url = f"{form}:///{tmp_path}/bot.db"
    for _ in range(2):
        ended = await bot(tmp_path, "migrate", DATABASE_URL=url)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == f"The database {url} is ready.\n"
    with closing(sqlite3.connect(tmp_path / "bot.db")) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        pytest.param("sqlite:///none/bot.db", 2, id="a folder that is not there"),
        pytest.param("postgresql+asyncpg://me:hidden@127.0.0.1:1/bot", 1, id="a server to come"),
    ],
)
async def test_migrate_says_in_one_sentence_why_it_can_not(
    tmp_path: Path, url: str, code: int
) -> None:
    ended = await bot(tmp_path, "migrate", DATABASE_URL=url)
    assert ended.code == code, "only what has to be mended is a wrong setting"
    assert "can't be written" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "hidden" not in ended.err


async def test_manifest_is_the_same_in_yaml_and_json(tmp_path: Path) -> None:
    as_yaml, as_json = await asyncio.gather(
        bot(tmp_path, "manifest"), bot(tmp_path, "manifest", "--json")
    )
    assert yaml.safe_load(as_yaml.out) == json.loads(as_json.out)
    assert json.loads(as_json.out)["settings"]["socket_mode_enabled"] is True


async def test_manifest_with_follow_ups_off_asks_for_no_messages_of_channels(
    tmp_path: Path,
) -> None:
    ended = await bot(tmp_path, "manifest", FOLLOW_UPS="off")

    assert "message.im" in ended.out
    assert "message.channels" not in ended.out


async def test_manifest_for_http_contains_the_bot_s_url(tmp_path: Path) -> None:
    ended = await bot(tmp_path, "manifest", "--http", "https://bot.example.org")
    settings = yaml.safe_load(ended.out)["settings"]
    assert settings["socket_mode_enabled"] is False
    assert "https://bot.example.org/slack/events" in json.dumps(settings)


@pytest.mark.parametrize("arguments", [("fly",), ("ask",), ("playground", "--port", "many")])
async def test_unknown_command_prints_the_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = await bot(tmp_path, *arguments)
    assert ended.code == 2
    assert "Usage:" in ended.err
    assert "Traceback" not in ended.err


async def test_wrong_setting_is_one_sentence_for_every_command(tmp_path: Path) -> None:
    for command in (("run",), ("check",), ("manifest",), ()):
        ended = await bot(tmp_path, *command, PORT="http")
        assert ended.code == 2
        assert ended.err.startswith("PORT is not a whole number")
        assert len(ended.err.splitlines()) == 1


async def test_feedback_is_exported_and_summarised(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with open_database(url) as database:
        await database.migrate()
        votes = VoteStore(database, team="T1")
        await votes.record_vote(Vote("Q1", "U1", "bad", 1_700_000_000.0, "wrong", "It is 1912."))
    lines = await bot(tmp_path, "feedback", "export")
    assert (lines.code, lines.err) == (0, "")
    assert json.loads(lines.out)["words"] == "It is 1912."
    table = await bot(tmp_path, "feedback", "export", "--format", "csv")
    assert table.out.splitlines()[1].startswith("T1,Q1,U1,bad,2023-11-14T22:13:20.000+00:00,wrong")
    summary = await bot(tmp_path, "feedback", "summary")
    assert "wrong 1" in summary.out
    later = await bot(tmp_path, "feedback", "summary", "--since", "2024-01-01")
    assert later.out.strip() == NO_VOTES


async def test_feedback_of_a_database_that_is_not_ready_says_what_to_do(tmp_path: Path) -> None:
    for command in ("export", "summary"):
        ended = await bot(tmp_path, "feedback", command)
        assert (ended.code, ended.out) == (2, "")
        assert "bot migrate" in ended.err
        assert "Traceback" not in ended.err
