from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, load_settings, require_slack, unencrypted_warnings, variables
from bot.settings.tools import ToolName
from bot.tools.builtin import BUILTIN_TOOL_NAMES


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, name, _ in variables():
        monkeypatch.delenv(name, raising=False)


def settings_of(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return load_settings(env_file=None)


def problems_of(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        require_slack(settings_of(monkeypatch, **values))
    return caught.value.problems


def test_settings_have_the_documented_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch)
    assert settings.slack.api_url == "https://slack.com/api/"
    assert settings.slack.slash_command == "/ask"
    assert settings.upstream.base_url == "https://api.tokenlab.sh/v1"
    assert settings.upstream.model == "gpt-5.4"
    assert settings.upstream.api == "auto"
    assert settings.upstream.idle_seconds == 90
    assert settings.upstream.progress_seconds == 300
    assert settings.delivery.edits_per_minute == 45
    assert settings.delivery.max_live_answers == 100
    assert settings.storage.database_url.get_secret_value() == "sqlite:///bot.db"
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 3000)
    assert settings.server.grace_seconds == 25


def test_environment_variable_overrides_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text("UPSTREAM_MODEL=from-file\nPORT=4000\n")
    monkeypatch.setenv("UPSTREAM_MODEL", "from-environment")
    settings = load_settings(env_file=file)
    assert settings.upstream.model == "from-environment"
    assert settings.server.port == 4000


def test_empty_value_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, SLACK_APP_TOKEN="", PORT="")
    assert settings.slack.app_token is None
    assert settings.server.port == 3000


@pytest.mark.parametrize(
    ("present", "mode"),
    [
        ({}, None),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, None),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}, "socket"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}, "http"),
        (
            {
                "SLACK_BOT_TOKEN": "xoxb-1",
                "SLACK_APP_TOKEN": "xapp-1",
                "SLACK_SIGNING_SECRET": "s",
            },
            "socket",
        ),
    ],
)
def test_connection_mode_follows_from_the_tokens(
    monkeypatch: pytest.MonkeyPatch, present: dict[str, str], mode: str | None
) -> None:
    assert settings_of(monkeypatch, **present).slack.connection_mode == mode


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "http", "is not a whole number"),
        ("PORT", "70000", "must be at most 65535"),
        ("EDITS_PER_MINUTE", "0", "must be at least 6"),
        ("UPSTREAM_IDLE_SECONDS", "soon", "is not a number"),
        ("UPSTREAM_API", "grpc", "must be one of 'auto', 'responses' or 'chat'"),
        ("UPSTREAM_BASE_URL", "api.example.com", "is not an http:// or https:// address"),
        ("SLACK_API_URL", "ftp://slack", "is not an http:// or https:// address"),
        ("SLASH_COMMAND", "ask", "must be a slash"),
        ("DATABASE_URL", "mysql:///bot.db", "must begin with sqlite:///"),
        *(
            ("DATABASE_URL", url, "names no file")
            for url in (
                "sqlite:///:memory:",
                "sqlite+aiosqlite:///:memory:",
                "sqlite://",
                "sqlite+aiosqlite:///",
                "sqlite:///file:x?mode=memory&uri=true",
                "sqlite:///file::memory:?cache=shared&uri=true",
                "sqlite:///%3Amemory%3A",
                "sqlite:///%20",
                "sqlite:///file:%3Amemory%3A?uri=true",
                "sqlite:///file:x?mode=%6demory&uri=true",
                "sqlite:///file:x?MODE=MEMORY&uri=true",
                "sqlite:///file:/x?vfs=memdb&uri=true",
            )
        ),
        *(
            ("DATABASE_URL", url, "has a file: address of SQLite's own")
            for url in ("sqlite:///file:?uri=true", "sqlite:///file:bot.db", "sqlite:///b?uri=1")
        ),
        *(
            ("DATABASE_URL", f"{form}://bot.db", "has two slashes before its file")
            for form in ("sqlite", "sqlite+aiosqlite")
        ),
        *(
            ("DATABASE_URL", url, "must begin with sqlite:///")
            for url in ("bot.db", "sqlite:bot.db", "sqlite:/bot.db", "sqlite+pysqlite:///bot.db")
        ),
        ("SLACK_BOT_TOKEN", "xapp-hidden", "holds another kind of token"),
        ("SLACK_APP_TOKEN", "xoxb-hidden", "holds another kind of token"),
        ("ALLOW_EXTERNAL_USERS", "perhaps", "is not a switch"),
        ("TOOLS", "now,fly", "must be one of 'now', 'calculate', 'fetch_page' or 'search_thread'"),
        ("HOSTED_TOOLS", "web_search", "must be a JSON list of objects"),
        ("HOSTED_TOOLS", '["web_search"]', "must be a JSON list of objects"),
    ],
)
def test_wrong_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    (problem,) = problems_of(monkeypatch, **{name: value})
    assert problem.startswith(f"{name} ")
    assert says in problem
    assert "set it right" in problem
    assert "hidden" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///bot.db",
        "sqlite:////var/lib/bot/bot.db",
        "sqlite+aiosqlite:///bot.db",
        "sqlite+aiosqlite:////var/lib/bot/bot.db",
        "postgresql+asyncpg://me@db/bot",
    ],
)
def test_database_url_is_kept_unchanged(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = settings_of(monkeypatch, DATABASE_URL=url)
    assert settings.storage.database_url.get_secret_value() == url


def test_settings_error_contains_all_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = problems_of(monkeypatch, PORT="x", DELIVERY="pigeon")
    assert [p.split()[0] for p in problems] == ["DELIVERY", "PORT"]


def test_tools_are_separated_by_commas_and_hosted_tools_are_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tools = settings_of(
        monkeypatch, TOOLS="now, fetch_page", HOSTED_TOOLS='[{"type": "web_search"}]'
    ).tools
    assert tools.names == ("now", "fetch_page")
    assert tools.hosted == ({"type": "web_search"},)


def test_tool_names_are_those_of_the_builtin_tools() -> None:
    assert get_args(ToolName) == BUILTIN_TOOL_NAMES


def test_require_slack_names_each_missing_token(monkeypatch: pytest.MonkeyPatch) -> None:
    bot_token, key = problems_of(monkeypatch)
    assert bot_token.startswith("SLACK_BOT_TOKEN is missing")
    assert key.startswith("UPSTREAM_API_KEY is missing")
    app_token, _ = problems_of(monkeypatch, SLACK_BOT_TOKEN="xoxb-1")
    assert app_token.startswith("SLACK_APP_TOKEN is missing")


def test_api_key_is_optional_for_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(
        monkeypatch,
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
        UPSTREAM_BASE_URL="http://127.0.0.1:8080/v1/",
    )
    require_slack(settings)
    assert settings.upstream.base_url == "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" https://api.example/v1/ ", "https://api.example/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("https://bücher.example/v1", "https://bücher.example/v1"),
        ("http://llm_server:8000/v1", "http://llm_server:8000/v1"),
        ("https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1"),
        (
            "https://r.openai.azure.com/openai/deployments/gpt/?api-version=2025-04-01",
            "https://r.openai.azure.com/openai/deployments/gpt?api-version=2025-04-01",
        ),
        ("https://api.example/responses/v1", "https://api.example/responses/v1"),
    ],
)
def test_base_url_may_have_a_query_and_trailing_slashes(
    monkeypatch: pytest.MonkeyPatch, value: str, url: str
) -> None:
    assert settings_of(monkeypatch, UPSTREAM_BASE_URL=value).upstream.base_url == url


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("api.example/v1", "is not an http:// or https:// address"),
        ("ftp://api.example/v1", "is not an http:// or https:// address"),
        ("https:/api.example/v1", "is not an http:// or https:// address"),
        ("https:///v1", "has no valid host and port"),
        ("https://:443/v1", "has no valid host and port"),
        ("https://api.example:port/v1", "has no valid host and port"),
        ("https://api.example:99999/v1", "has no valid host and port"),
        ("https://[::1/v1", "has no valid host and port"),
        ("https://{resource}.openai.azure.com/openai", "has no valid host and port"),
        ("https://<name>.example/v1", "has no valid host and port"),
        ("https://api..example/v1", "has no valid host and port"),
        ("https://api.example/v1 # ours", "has a blank in it"),
        ("https://api.example/my path", "has a blank in it"),
        ("https://api.example/v1#top", "has a fragment"),
        ("https://user:sk-hidden@api.example/v1", "has a user name or a password in it"),
        ("https://sk-hidden@api.example/v1", "has a user name or a password in it"),
        ("https://api.example/v1/responses", "must end before /responses"),
        ("https://api.example/v1/chat/completions/", "must end before /chat/completions"),
        ("https://r.example/openai/Chat/Completions?api-version=1", "must end before /chat/compl"),
    ],
)
def test_base_url_that_is_invalid_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(monkeypatch, UPSTREAM_BASE_URL=value)
    (problem,) = caught.value.problems
    assert problem.startswith(f"UPSTREAM_BASE_URL {says}")
    assert "sk-hidden" not in problem


@pytest.mark.parametrize(
    ("url", "key", "open_"),
    [
        ("http://api.example.com/v1", "sk-1", True),
        ("http://8.8.8.8/v1", "sk-1", True),
        ("http://[2606:4700::1111]/v1", "sk-1", True),
        ("http://api.example.com/v1", "", False),
        ("https://api.example.com/v1", "sk-1", False),
        ("http://localhost:8080/v1", "sk-1", False),
        ("http://127.0.0.1:8080/v1", "sk-1", False),
        ("http://[::1]:8080/v1", "sk-1", False),
        ("http://127.8.9.10:8080/v1", "sk-1", False),
        ("http://llm.localhost:8080/v1", "sk-1", False),
        ("http://host.docker.internal:1234/v1", "sk-1", False),
        ("http://10.1.2.3/v1", "sk-1", True),
        ("http://192.168.1.7:11434/v1", "sk-1", True),
        ("http://[fe80::1]/v1", "sk-1", True),
        ("http://ollama:11434/v1", "sk-1", True),
        ("http://llm.default.svc.cluster.local/v1", "sk-1", True),
        ("http://notlocalhost/v1", "sk-1", True),
        ("HTTP://api.example.com/v1", "sk-1", True),
    ],
)
def test_unencrypted_warning_for_a_key_sent_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, key: str, open_: bool
) -> None:
    settings = settings_of(monkeypatch, UPSTREAM_BASE_URL=url, UPSTREAM_API_KEY=key)
    assert settings.upstream.sends_key_unencrypted is open_
    assert [said.split()[0] for said in unencrypted_warnings(settings)] == [
        "UPSTREAM_BASE_URL"
    ] * open_


def test_unencrypted_warning_for_a_token_sent_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(
        monkeypatch, SLACK_API_URL="http://slack.example/api/", SLACK_BOT_TOKEN="xoxb-1"
    )
    assert [said.split()[0] for said in unencrypted_warnings(settings)] == ["SLACK_API_URL"]
    settings = settings_of(monkeypatch, SLACK_API_URL="http://127.0.0.1:1/api/")
    assert unencrypted_warnings(settings) == []


def test_secret_settings_are_hidden_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(
        monkeypatch,
        SLACK_BOT_TOKEN="xoxb-hidden",
        UPSTREAM_API_KEY="sk-hidden",
        DATABASE_URL="postgresql+asyncpg://me:hidden@db/bot",
    )
    assert "hidden" not in repr(settings)


def test_settings_all_have_a_description() -> None:
    assert all(field.description for _, _, field in variables())


@pytest.mark.parametrize(
    ("value", "ids"),
    [("", ()), ("B0ALERT", ("B0ALERT",)), (" B0ALERT, A0FLOW ,", ("B0ALERT", "A0FLOW"))],
)
def test_answer_bots_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, ids: tuple[str, ...]
) -> None:
    assert settings_of(monkeypatch, ANSWER_BOTS=value).slack.answer_bots == ids


@pytest.mark.parametrize("value", ["de", "zh-CN", "english"])
def test_language_without_a_catalogue_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    [problem] = problems_of(monkeypatch, LANGUAGE=value)[:1]
    assert problem.startswith("LANGUAGE")


@pytest.mark.parametrize("value", ["U0ANN", "B0ALERT A0FLOW", "alerts", "B0ALERT,@flow", "*"])
def test_answer_bots_that_are_no_ids_are_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    [problem] = problems_of(monkeypatch, ANSWER_BOTS=value)[:1]
    assert problem.startswith("ANSWER_BOTS must hold ids of bots")
