"""What a server does not support is remembered for a day."""

from __future__ import annotations

import pytest

from bot.upstream.capabilities import RESUMING_HOSTS, Capabilities, matches_host

DAY = 24 * 3600
URL, OTHER = "http://one.test/v1", "http://two.test/v1"


def test_capabilities_remember_one_model_of_one_server_for_a_day() -> None:
    known = Capabilities()
    known.mark_unsupported(URL, "m", "responses", 100)
    assert known.is_unsupported(URL, "m", "responses", 100)
    assert known.is_unsupported(URL, "m", "responses", 99 + DAY)
    assert not known.is_unsupported(URL, "m", "responses", 100 + DAY)
    assert not known.is_unsupported(URL, "n", "responses", 100)
    assert not known.is_unsupported(OTHER, "m", "responses", 100)
    assert not known.is_unsupported(URL, "m", "chat", 100)


def test_capabilities_of_a_server_apply_to_all_its_models() -> None:
    known = Capabilities()
    known.mark_unsupported(URL, "", "resume", 100)
    assert known.is_unsupported(URL, "m", "resume", 200)
    assert known.is_unsupported(URL, "n", "resume", 200)


def test_capabilities_learn_formats_and_ask_once_a_day() -> None:
    known = Capabilities()
    assert not known.has_asked_formats(URL, "m", 0)
    known.learn_formats(URL, "m", ("openai_chat_completions", "anthropic_messages"), 0)
    assert known.has_asked_formats(URL, "m", DAY - 1)
    assert not known.has_asked_formats(URL, "m", DAY)
    assert known.is_unsupported(URL, "m", "responses", 1)
    assert not known.is_unsupported(URL, "m", "chat", 1)
    known.learn_formats(URL, "m", ("openai_responses", "openai_chat_completions"), 2)
    assert not known.is_unsupported(URL, "m", "responses", 3)


def test_capabilities_do_not_ask_a_silent_server_again() -> None:
    known = Capabilities()
    known.learn_formats(URL, "m", None, 0)
    assert known.has_asked_formats(URL, "m", 1)
    assert not known.is_unsupported(URL, "m", "responses", 1)


@pytest.mark.parametrize(
    ("host", "documented"),
    [
        ("api.openai.com", True),
        ("api.tokenlab.sh", True),
        ("house.openai.azure.com", True),
        ("127.0.0.1", False),
        ("openai.com.evil.test", False),
        ("evil-api.openai.com.test", False),
        ("", False),
    ],
)
def test_matches_host_knows_hosts_that_resume(host: str, documented: bool) -> None:
    assert matches_host(host, RESUMING_HOSTS) is documented
