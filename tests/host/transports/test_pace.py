"""The pace follows the line."""

import pytest

from celosia.host.transports.pace import SMALLEST_PAYLOAD, Pace


def test_on_a_good_line_it_reaches_the_largest_payload_and_the_whole_window() -> None:
    pace = Pace(1024, 16)
    for _ in range(50):
        pace.delivered()
    assert (pace.payload, pace.frames) == (1024, 16)


def test_on_a_bad_line_it_falls_to_the_smallest_payload_and_one_frame() -> None:
    pace = Pace(1024, 16)
    for _ in range(50):
        pace.delivered()
    for _ in range(10):
        pace.lost()
    assert (pace.payload, pace.frames) == (SMALLEST_PAYLOAD, 1)


def test_eight_deliveries_without_a_loss_double_it() -> None:
    pace = Pace(1024, 16)
    before = pace.payload
    for _ in range(7):
        pace.delivered()
    pace.lost()
    for _ in range(7):
        pace.delivered()
    assert pace.payload == before // 2
    pace.delivered()
    assert pace.payload == before


def test_sizes_that_are_no_power_of_two_are_kept_within() -> None:
    pace = Pace(100, 3)
    for _ in range(50):
        pace.delivered()
    assert (pace.payload, pace.frames) == (100, 3)


@pytest.mark.parametrize(("payload", "window", "message"), [(31, 1, "largest_payload"), (32, 0, "window")])
def test_an_impossible_line_is_refused(payload: int, window: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} must be at least"):
        Pace(payload, window)
