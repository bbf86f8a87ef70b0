"""What an operator reads when `bot run` can't start, or starts into a world that is not well."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from bot.playground.model.server import ModelConfig
from tests.e2e.bot.running import Process, environment, running_system, start, status_text
from tests.unit.playground import live

MENTION = f"<@{live.BOT}>"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


async def ended(folder: Path, **values: str) -> tuple[int, list[str]]:
    """Run the bot until it ends by itself: its exit code and what it said without its log."""
    bot: Process = await start(environment(folder, **values), folder)
    code = await bot.process.wait()
    await bot.reading
    return code, [line["message"] for line in bot.log if "level" not in line]


async def test_missing_variables_are_one_sentence_each(tmp_path: Path) -> None:
    code, said = await ended(tmp_path)
    assert code == 2
    assert [line.split()[0] for line in said] == ["SLACK_BOT_TOKEN", "UPSTREAM_API_KEY"]


async def test_wrong_value_is_one_sentence(tmp_path: Path) -> None:
    code, said = await ended(tmp_path, PORT="http")
    assert code == 2
    [sentence] = said
    assert sentence.startswith("PORT is not a whole number")


@pytest.mark.parametrize(
    ("bot_token", "app_token", "variable"),
    [
        ("xoxb-wrong", "xapp-playground", "SLACK_BOT_TOKEN"),
        ("xoxb-playground", "xapp-wrong", "SLACK_APP_TOKEN"),
    ],
)
async def test_refused_token_is_one_sentence(
    tmp_path: Path, bot_token: str, app_token: str, variable: str
) -> None:
    async with live.slack() as slack:
        code, said = await ended(
            tmp_path,
            SLACK_API_URL=slack.api_url,
            SLACK_BOT_TOKEN=bot_token,
            SLACK_APP_TOKEN=app_token,
            UPSTREAM_BASE_URL=NOWHERE,
        )
    assert code == 2
    [sentence] = said
    assert sentence.startswith(f"{variable} is refused by Slack (invalid_auth)")
    assert "wrong" not in sentence


async def test_unreachable_slack_is_one_sentence(tmp_path: Path) -> None:
    code, said = await ended(
        tmp_path,
        SLACK_API_URL=f"{NOWHERE}/api/",
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
        UPSTREAM_BASE_URL=NOWHERE,
    )
    assert code == 1
    [sentence] = said
    assert sentence.startswith(f"Slack can't be reached at {NOWHERE}/api/")


async def test_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with live.slack() as slack:
            code, said = await ended(
                tmp_path,
                SLACK_API_URL=slack.api_url,
                SLACK_BOT_TOKEN=slack.config.bot_token,
                SLACK_APP_TOKEN=slack.config.app_token,
                UPSTREAM_BASE_URL=NOWHERE,
                PORT=port,
            )
    assert code == 1
    [sentence] = said
    assert sentence.startswith(f"PORT {port} on 127.0.0.1 can't be used")


async def test_database_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    code, said = await ended(
        tmp_path,
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
        UPSTREAM_BASE_URL=NOWHERE,
        DATABASE_URL=f"sqlite:///{tmp_path}/no-such-folder/bot.db",
    )
    assert code == 2, said
    assert len(said) == 1, said
    [sentence] = said
    assert "can't be written" in sentence
    assert "set DATABASE_URL" in sentence


@pytest.mark.parametrize(
    ("values", "warning", "sentence"),
    [
        pytest.param(
            {"UPSTREAM_BASE_URL": NOWHERE, "UPSTREAM_ATTEMPTS": "0"},
            "can't be reached",
            "can't be reached",
            id="an unreachable upstream",
        ),
        pytest.param({"UPSTREAM_API_KEY": "sk-wrong"}, "key", "key", id="a wrong key"),
        pytest.param(
            {"UPSTREAM_MODEL": "no-such-model"},
            "no-such-model",
            "no-such-model",
            id="no such model",
        ),
    ],
)
async def test_unavailable_upstream_is_reported_at_start_and_to_askers(
    tmp_path: Path, values: dict[str, str], warning: str, sentence: str
) -> None:
    model = ModelConfig(api_key="sk-right")
    variables = {"UPSTREAM_API_KEY": "sk-right"} | values
    async with running_system(tmp_path, model=model, variables=variables) as system:
        system.slack.workspace.say(live.GENERAL, f"{MENTION} hello")
        await system.slack.until(
            lambda: any("reference" in status_text(m) for m in system.answers(live.GENERAL)), 15
        )
        [answer] = system.answers(live.GENERAL)
        assert sentence in status_text(answer)
        assert "sk-" not in status_text(answer)
        warnings = [x for x in system.bot.log if x.get("level") == "warning"]
        assert any(warning in x["message"] for x in warnings)
        assert not any("sk-" in str(line) for line in system.bot.log)


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_health_and_metrics_have_a_port_of_their_own_if_one_is_set(
    tmp_path: Path, over_http: bool
) -> None:
    async with live.slack() as slack, aiohttp.ClientSession() as session:
        how = {"SLACK_SIGNING_SECRET": "s"} if over_http else {"SLACK_APP_TOKEN": "xapp-playground"}
        bot = await start(
            environment(
                tmp_path,
                SLACK_API_URL=slack.api_url,
                SLACK_BOT_TOKEN=slack.config.bot_token,
                UPSTREAM_BASE_URL=NOWHERE,
                METRICS_PORT="0",
                **how,
            ),
            tmp_path,
        )
        try:
            await bot.said("ready")
            ports = {x["variable"]: x["port"] for x in bot.log if x.get("message") == "listening"}
            assert set(ports) == ({"METRICS_PORT", "PORT"} if over_http else {"METRICS_PORT"})
            found = {}
            for variable, port in ports.items():
                for path in ("/healthz", "/metrics", "/slack/events"):
                    async with session.post(f"http://127.0.0.1:{port}{path}") as answer:
                        found[variable, path] = answer.status
        finally:
            await bot.end(signal.SIGKILL)
    own = {"/healthz": 405, "/metrics": 405, "/slack/events": 404}
    assert {path: found["METRICS_PORT", path] for path in own} == own
    if over_http:
        slack_s = {"/healthz": 404, "/metrics": 404, "/slack/events": 401}
        assert {path: found["PORT", path] for path in slack_s} == slack_s


async def test_unencrypted_transfer_of_a_key_is_warned_of_at_start(tmp_path: Path) -> None:
    async with live.slack() as slack:
        bot = await start(
            environment(
                tmp_path,
                SLACK_API_URL=slack.api_url,
                SLACK_BOT_TOKEN=slack.config.bot_token,
                SLACK_APP_TOKEN="xapp-playground",
                UPSTREAM_BASE_URL="http://192.0.2.1/v1",
                UPSTREAM_API_KEY="sk-1",
            ),
            tmp_path,
        )
        try:
            await bot.said("ready")
        finally:
            await bot.end(signal.SIGKILL)
    warned = [x["message"] for x in bot.log if x.get("level") == "warning"]
    assert [said.split()[0] for said in warned] == ["UPSTREAM_BASE_URL"]
