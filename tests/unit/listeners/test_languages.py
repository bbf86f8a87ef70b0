"""The language of a person never holds up or fails a question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.listeners.admission.languages import (
    FAILED_LOOKUP_TTL_SECONDS,
    LOCALE_TTL_SECONDS,
    LOOKUP_TIMEOUT_SECONDS,
    MAX_LOOKUPS_PER_MINUTE,
    PersonLanguages,
    always,
)
from tests.support.virtual_time import now, run
from tests.support.words import EN, ZH

REFUSAL = SlackRefused("users.info", "user_not_found")
LOST = SlackUnreachable("users.info", "no answer")


@dataclass
class Locales:
    """Slack's locales by user, after `seconds`; `error` instead of any."""

    locales: dict[str, str] = field(default_factory=lambda: {"U1": "zh-CN", "U2": "de-DE"})
    seconds: float = 0.05
    error: SlackError | None = None
    asked: list[str] = field(default_factory=list)

    async def fetch(self, user: str) -> str:
        self.asked.append(user)
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.locales.get(user, "")

    def languages(self) -> PersonLanguages:
        return PersonLanguages(self.fetch, now=now)


def test_language_is_looked_up_once_by_the_locale() -> None:
    async def scenario() -> None:
        slack = Locales()
        languages = slack.languages()
        for _ in range(3):
            assert await languages.language_of("T1", "U1") is ZH
            assert await languages.language_of("T1", "U2") is EN
        assert slack.asked == ["U1", "U2"]

    run(scenario())


def test_language_is_looked_up_once_by_many_at_the_same_time() -> None:
    async def scenario() -> None:
        slack = Locales()
        languages = slack.languages()
        found = await asyncio.gather(*(languages.language_of("T1", "U1") for _ in range(20)))
        assert set(found) == {ZH}
        assert slack.asked == ["U1"]

    run(scenario())


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(None, LOCALE_TTL_SECONDS), (REFUSAL, FAILED_LOOKUP_TTL_SECONDS)],
)
def test_language_is_looked_up_again_after_the_ttl(
    error: SlackError | None, seconds: float
) -> None:
    async def scenario() -> None:
        slack = Locales(error=error)
        languages = slack.languages()
        assert await languages.language_of("T1", "U1") is (EN if error else ZH)
        await asyncio.sleep(seconds - 1)
        await languages.language_of("T1", "U1")
        assert len(slack.asked) == 1
        slack.error, slack.locales = None, {"U1": "zh-TW" if error else "en-GB"}
        await asyncio.sleep(2)
        assert await languages.language_of("T1", "U1") is (ZH if error else EN)

    run(scenario())


@pytest.mark.parametrize("error", [REFUSAL, LOST, SlackRateLimited("users.info", 30.0)])
def test_language_is_english_if_the_look_up_fails(error: SlackError) -> None:
    async def scenario() -> None:
        slack = Locales(error=error)
        assert await slack.languages().language_of("T1", "U1") is EN
        assert slack.asked == ["U1"]

    run(scenario())


@pytest.mark.parametrize("error", [REFUSAL, LOST])
def test_known_language_is_kept_if_a_later_look_up_fails(error: SlackError) -> None:
    async def scenario() -> None:
        slack = Locales()
        languages = slack.languages()
        await languages.language_of("T1", "U1")
        slack.error = error
        await asyncio.sleep(LOCALE_TTL_SECONDS + 1)
        assert await languages.language_of("T1", "U1") is ZH
        assert len(slack.asked) == 2

    run(scenario())


def test_slow_look_up_is_used_for_the_next_question() -> None:
    async def scenario() -> None:
        slack = Locales(seconds=3.0)
        languages, began = slack.languages(), now()
        assert await languages.language_of("T1", "U1") is EN
        assert now() - began <= LOOKUP_TIMEOUT_SECONDS
        await asyncio.sleep(3)
        assert await languages.language_of("T1", "U1") is ZH
        assert slack.asked == ["U1"]

    run(scenario())


def test_look_ups_keep_to_their_limit_and_to_a_429() -> None:
    async def scenario() -> None:
        slack = Locales()
        languages = slack.languages()
        for n in range(100):
            await languages.language_of("T1", f"U{n}")
        assert len(slack.asked) == MAX_LOOKUPS_PER_MINUTE
        await asyncio.sleep(61)
        slack.error = SlackRateLimited("users.info", 45.0)
        await languages.language_of("T1", "U100")
        count = len(slack.asked)
        await asyncio.sleep(44)
        assert await languages.language_of("T1", "U101") is EN
        assert len(slack.asked) == count
        slack.error = None
        await asyncio.sleep(61)
        await languages.language_of("T1", "U101")
        assert len(slack.asked) == count + 1

    run(scenario())


def test_bot_is_spoken_to_in_english_without_a_look_up() -> None:
    async def scenario() -> None:
        slack = Locales()
        assert await slack.languages().language_of("T1", "B1") is EN
        assert slack.asked == []

    run(scenario())


def test_closing_cancels_look_ups() -> None:
    async def scenario() -> None:
        languages = Locales(seconds=1000.0).languages()
        assert await languages.language_of("T1", "U1") is EN
        await languages.aclose()
        assert now() < 1.0

    run(scenario())


async def test_fixed_language_is_the_same_for_everybody() -> None:
    assert await always(ZH)("T1", "U2") is ZH
