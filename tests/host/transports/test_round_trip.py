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


def waits(estimator: RoundTripEstimator) -> list[float]:
    """Seven time-outs in a row."""
    found = []
    for _ in range(7):
        found.append(estimator.timeout(1))
        estimator.expired()
    return found


def test_nobody_is_called_again_at_a_steady_rate() -> None:
    assert waits(RoundTripEstimator(first=1.0)) == [1] * 7


def test_silence_doubles_the_time_out_up_to_a_limit_and_until_the_next_measurement() -> None:
    estimator = RoundTripEstimator(floor=1.0)
    estimator.measured(0.01, 1)
    assert waits(estimator) == [1, 2, 4, 8, 16, 16, 16]
    estimator.recovered()
    assert estimator.timeout(1) == 1
    estimator.expired()
    estimator.measured(0.01, 1)
    assert estimator.timeout(1) == 1


def test_an_answer_to_a_repeated_request_bounds_the_time_out_until_one_is_measured() -> None:
    estimator = RoundTripEstimator(first=1.0, floor=0.0)
    estimator.expired()
    estimator.bounded(30.0)
    assert estimator.timeout(1) == 30.0
    estimator.bounded(20.0)
    estimator.bounded(90.0)
    assert estimator.timeout(1) == 20.0, "the least bound is the best"
    estimator.measured(2.0, 1)
    assert estimator.timeout(1) == 6.0
