from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bot.turn.durability.failure_detector import MAX_GAP_LEASE_FRACTION, FailureDetector

LEASE = 15.0


@dataclass
class DetectorSetup:
    """A failure detector and its own clock."""

    detector: FailureDetector = field(default_factory=lambda: FailureDetector("me", LEASE))
    now: float = 100.0

    def observe_after(self, seconds: float, *owners: str, **beats: int) -> frozenset[str]:
        self.now += seconds
        return self.detector.observe(beats, owners, started_at=self.now, ended_at=self.now)


def test_failure_detector_reports_a_replica_silent_for_a_whole_lease() -> None:
    setup = DetectorSetup()
    assert [setup.observe_after(3, other=7) for _ in range(5)] == [frozenset()] * 5
    assert setup.observe_after(2.9, other=7) == frozenset()
    assert setup.observe_after(0.2, other=7) == {"other"}


def test_failure_detector_spares_a_replica_whose_heartbeat_goes_on() -> None:
    setup = DetectorSetup()
    assert all(not setup.observe_after(14, other=beat) for beat in range(9))


def test_failure_detector_never_reports_its_own_replica() -> None:
    setup = DetectorSetup()
    assert all(not setup.observe_after(3, "me", me=1) for _ in range(20))


def test_failure_detector_reports_an_owner_without_a_heartbeat_after_a_lease() -> None:
    setup = DetectorSetup()
    assert [setup.observe_after(3, "gone") for _ in range(6)] == [frozenset()] * 5 + [{"gone"}]


def test_failure_detector_starts_again_after_a_failed_reading() -> None:
    setup = DetectorSetup()
    for _ in range(5):
        setup.observe_after(3, other=7)
    setup.detector.reset()
    assert [setup.observe_after(3, other=7) for _ in range(6)] == [frozenset()] * 5 + [{"other"}]


def test_failure_detector_gives_others_time_after_the_machine_was_suspended() -> None:
    setup = DetectorSetup()
    setup.observe_after(3, other=7)
    assert setup.observe_after(3600, other=7) == frozenset()
    assert setup.observe_after(3, other=7) == frozenset()
    assert setup.observe_after(3, other=8) == frozenset()


def test_failure_detector_counts_no_time_during_a_slow_reading() -> None:
    watch = FailureDetector("me", LEASE)
    watch.observe({"other": 1}, (), started_at=0, ended_at=4.9)
    for at in (5, 9, 13, 17):
        assert not watch.observe({"other": 1}, (), started_at=at, ended_at=at + 1.0)


def test_failure_detector_counts_living_replicas_with_its_own() -> None:
    setup = DetectorSetup()
    for _ in range(7):
        setup.observe_after(3, "gone", me=1, dead=5)
    assert setup.detector.alive_count == 1
    setup.observe_after(3, me=1, dead=5, new=1)
    assert setup.detector.alive_count == 2


pauses = st.lists(st.floats(0.01, 60), min_size=1, max_size=60)


@given(pauses, st.floats(0.5, LEASE / 5), st.lists(st.integers(0, 59)))
def test_failure_detector_never_reports_a_replica_that_beats_in_time(
    pauses: list[float], period: float, failed: list[int]
) -> None:
    setup = DetectorSetup()
    for n, pause in enumerate(pauses):
        if n in failed:
            setup.now += pause
            setup.detector.reset()
        else:
            assert not setup.observe_after(pause, "other", other=int((setup.now + pause) / period))


@given(st.lists(st.floats(0.01, LEASE * MAX_GAP_LEASE_FRACTION), min_size=60, max_size=60))
def test_failure_detector_reports_the_dead_after_a_lease_of_readings(
    pauses: list[float],
) -> None:
    setup = DetectorSetup()
    setup.observe_after(0, "other", other=3)
    passed = 0.0
    for pause in pauses:
        passed += pause
        assert bool(setup.observe_after(pause, "other", other=3)) == (passed >= LEASE)


@given(st.floats(0, 1e6), st.floats(0, LEASE / 5))
def test_failure_detector_gives_half_a_lease_to_replicas_suspended_with_it(
    slept: float, before: float
) -> None:
    setup = DetectorSetup()
    setup.observe_after(3, other=1)
    setup.observe_after(before, other=1)
    setup.observe_after(slept, other=1)
    assert not setup.observe_after(LEASE / 5, other=1)
    assert not setup.observe_after(LEASE / 5, other=1)
