"""`SystolicConfig`: what is refused, and the presets."""

import re
from dataclasses import replace
from typing import Any

import pytest

from celosia.generators.systolic.area import area
from celosia.generators.systolic.config import PRESETS, SystolicConfig


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 12}, "rows must be a power of two in 8..512, not 12"),
        ({"columns": 4}, "columns must be a power of two in 8..512, not 4"),
        ({"accumulators": 100}, "accumulators must be a power of two in 16..8192, not 100"),
        ({"weight_tiles": 1}, "weight_tiles must be a power of two in 2..64, not 1"),
        ({"buffer_kib": 2048}, "buffer_kib must be in 1..1024 for 16 rows, not 2048"),
        ({"parameter_beats": 8}, "parameter_beats must be a power of two in 64..4096, not 8"),
        (
            {"weight_bits": 256},
            "weight_bits must be 64, 128, 256 or 512, and at most the 128 bits of a row of weights, not 256",
        ),
        ({"queue_depth": 3}, "queue_depth must be 2, 4, 8 or 16, not 3"),
        ({"burst_beats": 24}, "burst_beats must be a power of two in 2..256, not 24"),
        ({"burst_beats": 128}, "burst_beats must be a power of two in 2..64, not 128"),
        ({"rows": 0}, "rows must be a power of two in 8..512, not 0"),
        (
            {"rows": 512, "columns": 512, "buffer_kib": 1},
            "buffer_kib must be in 8..32768 for 512 rows, not 1",
        ),
        ({"weight_tiles": 2, "burst_beats": 64}, "burst_beats must fit the weight FIFO of 32 beats, not 64"),
        ({"outstanding_reads": 0}, "outstanding_reads must be in 1..16, not 0"),
        ({"data_bits": 128}, "data_bits must be 64, not 128"),
        ({"address_bits": 16}, "address_bits must be in 32..64, not 16"),
        ({"profile_entries": 100}, "profile_entries must be a power of two in 16..1024, not 100"),
    ],
)
def test_refuses_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        replace(SystolicConfig(), **change)


def test_refuses_what_is_no_integer() -> None:
    with pytest.raises(TypeError, match=r"rows must be an integer, not 16\.0"):
        SystolicConfig(rows=16.0)  # pyright: ignore[reportArgumentType]


def test_refuses_what_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="int16 must be true or false, not 1"):
        SystolicConfig(int16=1)  # pyright: ignore[reportArgumentType]


def test_presets_are_what_their_names_say() -> None:
    assert {name: (config.rows, config.columns, config.peak_macs) for name, config in PRESETS.items()} == {
        "tpu-8x8": (8, 8, 64),
        "tpu-16x16": (16, 16, 256),
        "tpu-32x32": (32, 32, 1024),
        "tpu-256x256": (256, 256, 65536),
    }


def test_hashes_tell_configurations_apart() -> None:
    small = PRESETS["tpu-8x8"]
    configs = [*PRESETS.values(), replace(small, weight_tiles=4), replace(small, int16=True)]
    assert len({config.hash for config in configs}) == len(configs)


def test_int16_costs_three_multipliers_a_lane_and_no_memory() -> None:
    for config in PRESETS.values():
        plain, split = area(config), area(replace(config, int16=True))
        assert split.multipliers == plain.multipliers + 3 * config.lanes
        assert split.memories == plain.memories
        assert split.luts > plain.luts
