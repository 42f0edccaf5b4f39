"""Time-outs follow what was measured."""

import pytest

from celosia.host.transports.round_trip import RoundTripEstimator


def test_before_anything_was_measured_the_first_time_out_counts() -> None:
    assert RoundTripEstimator(first=3.0).timeout(1000) == 3.0


def test_the_first_measurement_is_average_and_half_of_it_deviation() -> None:
    estimator = RoundTripEstimator(floor=0.0)
    estimator.measured(2.0, line_bytes=100)
    assert estimator.expected(100) == 2.0
    assert estimator.timeout(100) == pytest.approx(2.0 + 4 * 1.0)


def test_later_ones_are_smoothed_as_rfc_6298_has_it() -> None:
    estimator = RoundTripEstimator(floor=0.0)
    estimator.measured(1.0, 1)
    estimator.measured(2.0, 1)
    assert estimator.expected(1) == pytest.approx(7 / 8 + 2 / 8)
    assert estimator.timeout(1) == pytest.approx(7 / 8 + 2 / 8 + 4 * (0.5 * 3 / 4 + 1 / 4))


def test_a_steady_line_has_a_time_out_near_its_round_trip() -> None:
    estimator = RoundTripEstimator(floor=0.0)
    for _ in range(50):
        estimator.measured(1.0, 10)
    assert estimator.timeout(10) == pytest.approx(1.0, rel=0.01)


def test_longer_frames_are_given_longer() -> None:
    estimator = RoundTripEstimator(floor=0.0)
    estimator.measured(1.0, 10)
    assert estimator.timeout(1000) == pytest.approx(100 * estimator.timeout(10))


def test_a_floor_is_kept() -> None:
    estimator = RoundTripEstimator(floor=0.5)
    estimator.measured(1e-6, 10)
    assert estimator.timeout(10) == 0.5


def test_silence_doubles_the_time_out_up_to_a_limit_until_something_is_heard() -> None:
    estimator = RoundTripEstimator(first=1.0)
    waits = []
    for _ in range(5):
        waits.append(estimator.timeout(1))
        estimator.expired()
    assert waits == [1, 2, 4, 8, 8]
    estimator.heard()
    assert estimator.timeout(1) == 1
