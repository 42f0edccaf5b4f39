"""The constants are those that the measurements were made with."""

import pytest

from benchmarks.lut_calibration import fitted


def test_a_linear_law_is_found() -> None:
    rows = [(1, 4), (1, 8), (1, 16), (1, 32)]
    assert fitted(rows, [1000 + 50 * outputs for _, outputs in rows]) == pytest.approx([1000, 50])
