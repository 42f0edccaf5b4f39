"""`WideScaling` refuses what the gateware has no room for, and packs 48 bits of bias beside the multiplier."""

import re
from typing import Any

import numpy as np
import pytest

from celosia.generators.chassis.wide_scaling import WideScaling

GIVEN: dict[str, Any] = {
    "bias": np.array([-(1 << 47), (1 << 47) - 1, 5]),
    "multiplier": np.array([1 << 30, (1 << 31) - 1, 0], np.int32),
    "shift": np.array([-31, 7, 0], np.int8),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": np.array([0, 1 << 47, 0])}, "bias must have 48 bits"),
        ({"shift": np.array([0, 8, 0], np.int8)}, "shift must be in -31..7"),
        ({"shift": np.zeros(2, np.int8)}, "bias, multiplier and shift must have one entry a channel each"),
        ({"ofm_bytes": 3}, "ofm_bytes must be 1, 2 or 6, not 3"),
    ],
)
def test_refuses_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        WideScaling(**GIVEN | change)


def test_parameters_have_the_places_of_int8s() -> None:
    low, words, shifts = WideScaling(**GIVEN).parameter_words
    assert [words.dtype.name, low.dtype.name, shifts.dtype.name] == ["int32", "int32", "int8"]
    reduced, upper = words & 0x7FFF, words >> 15
    assert reduced.tolist() == [1 << 14, 0x7FFF, 0]
    biases = (low.view(np.uint32).astype(np.int64) | upper.astype(np.int64) << 32).tolist()
    assert biases == [value & (1 << 48) - 1 for value in GIVEN["bias"].tolist()]
    assert shifts.tolist() == [38, 0, 7]


def test_uniform_is_what_is_the_same_for_every_channel() -> None:
    assert WideScaling.raw(np.zeros(5, np.int64)).is_uniform
    assert WideScaling.raw(np.arange(5)).has_uniform_scale
    assert not WideScaling.raw(np.arange(5)).is_uniform
    # The upper bits of a bias are beside the multiplier, which a uniform scale has once.
    assert not WideScaling.raw(np.array([0, 1 << 40])).has_uniform_scale
