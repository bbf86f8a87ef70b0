"""The goals of delivery in virtual time, and how they are measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import pytest

from bot.delivery.config import DeliveryConfig
from bot.delivery.delivery import Delivery
from tests.support.virtual_time import run
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.delivery.measure import Answer, Figures, bound, measure
from tests.unit.delivery.peers import PEERS
from tests.unit.delivery.scenarios import SCENARIOS, Scenario, at_once
from tests.unit.delivery.simulator import OUR_LIMIT, MakeReplies, Way, figures, ours
from tests.unit.delivery.watched_slack import WatchedSlack

pytestmark = pytest.mark.slow

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@cache
def simulated(name: str, way: Way = "edit") -> Figures:
    return figures(BY_NAME[name], partial(ours, way=way))


@pytest.mark.parametrize(
    "name",
    [
        "one of 25 s",
        "10 at once",
        "15 at once",
        "50 at once",
        "10 after one",
        "40 at once, 600 words",
        "100 at once, 600 words",
        "10 at once in one thread",
    ],
)
def test_simulated_answers_end_at_once_without_a_429(name: str) -> None:
    found = simulated(name)
    assert found.worst_final <= 0.5
    assert found.limited == 0
    assert found.lost == 0


def test_simulated_single_answer_is_fresh_and_leaves_a_third_of_the_minute() -> None:
    found = simulated("one of 25 s")
    assert found.stale <= 0.5
    assert found.edits <= OUR_LIMIT * 2 / 3


def test_simulated_ten_answers_are_near_the_bound() -> None:
    found = simulated("10 at once")
    assert found.stale <= 4.2
    assert found.stall <= 0.6
    assert found.posts == 10, "an answer that can be edited stays one message"


def test_simulated_ten_answers_hardly_let_a_skimming_reader_wait() -> None:
    assert simulated("10 at once").stall_at_60 <= 2.0


def test_simulated_fifteen_answers_hardly_let_a_reader_wait() -> None:
    assert simulated("15 at once").stall <= 1.0


def test_simulated_forty_answers_let_a_reader_wait_for_less_than_a_second_with_auto() -> None:
    assert simulated("40 at once, 600 words").stall <= 1.0
    assert simulated("40 at once, 600 words", "auto").stall <= 1.0


@pytest.mark.parametrize(
    "name",
    [
        "10 after one",
        "10 after one and 20 short ones",
        "10 after one and a restart",
        "10 after one, slow to begin",
    ],
)
def test_simulated_questions_after_a_long_answer_do_not_wait_for_its_edits(name: str) -> None:
    assert simulated(name).worst_stall <= 3.0
    assert simulated(name, "auto").worst_stall <= 2.0


def test_simulated_ten_answers_of_a_slow_model_are_read_as_they_are_written() -> None:
    assert simulated("10 at once, slow").stall <= 4.0


def test_simulated_ten_questions_a_minute_are_sustained() -> None:
    found = simulated("10 a minute")
    assert found.stall <= 1.2
    assert found.worst_final <= 0.5
    assert (found.limited, found.lost) == (0, 0)


@pytest.mark.parametrize("speed", [15.0, 30.0, 60.0])
def test_simulated_answers_are_complete_at_any_reading_speed(speed: float) -> None:
    def at_speed(slack: FakeSlack, _database: object) -> MakeReplies:
        config = DeliveryConfig(OUR_LIMIT, reading_bytes_per_second=speed)
        return Delivery(connect(slack), config).create_reply

    found = figures(BY_NAME["10 at once"], at_speed)
    assert (found.lost, found.limited) == (0, 0)
    assert found.worst_final <= 0.5


def test_simulated_outside_client_of_the_same_limit_is_tolerated() -> None:
    crowd = BY_NAME["10 a minute, a third spent"]
    found = figures(replace(crowd, asked=tuple(t for t in crowd.asked if t < 200)), ours)
    assert found.worst_final <= 1.0
    assert found.lost == 0
    assert found.limited <= 5


@pytest.mark.parametrize("peer", PEERS)
def test_peer_policies_show_the_complete_answer_in_the_end(peer: str) -> None:
    found = figures(at_once(2), PEERS[peer])
    assert found.lost == 0


def test_simulator_gives_the_same_figures_for_the_same_scenario() -> None:
    assert figures(at_once(3), ours) == figures(at_once(3), ours)


def test_bound_is_that_of_equal_pieces() -> None:
    # 300 s of writing, 45 edits: pieces of 6.7 s, each 3.3 s old on average.
    assert bound([0.0] * 10, 30.0, 45) == pytest.approx(3.33, abs=0.01)
    assert bound([0.0], 25.0, 45) == pytest.approx(0.28, abs=0.01)


def test_bound_grows_with_the_questions_a_minute() -> None:
    least = [bound([60.0 / n * k for k in range(10 * n)], 30.0, 45) for n in (5, 10, 15)]
    assert least == sorted(least)


def seen(*shown: tuple[float, int]) -> Figures:
    """The figures of one answer of ten words, one a second from 1 s on."""
    answer = Answer(0, 0.0, [(float(n), n) for n in range(1, 11)], list(shown), 60.0)
    slack = run(_slack())
    return measure([answer], slack)


async def _slack() -> WatchedSlack:
    return WatchedSlack([])


def test_measured_staleness_is_the_age_of_the_oldest_word_not_shown() -> None:
    assert seen((10.0, 10)).stale == pytest.approx(4.5, abs=0.1)
    assert seen((5.5, 5), (10.0, 10)).stale == pytest.approx(2.1, abs=0.2)


def test_measured_stall_is_the_time_a_reader_has_nothing_to_read() -> None:
    assert seen((10.0, 10)).stall == pytest.approx(9.0, abs=0.2)
    assert seen((1.0, 1), (10.0, 10)).stall == pytest.approx(8.0, abs=0.3)


def test_measured_answer_that_was_never_complete_is_lost() -> None:
    figures_of_one = seen((5.0, 5))
    assert figures_of_one.lost == 1
    assert figures_of_one.worst_final == float("inf")


def test_scenario_names_are_unique() -> None:
    assert len(BY_NAME) == len(SCENARIOS)
    assert isinstance(SCENARIOS[0], Scenario)
