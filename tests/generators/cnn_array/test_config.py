"""`CnnArrayConfig`: what is refused, and the presets."""

import re
from dataclasses import replace
from typing import Any

import pytest

from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operand_bits": 12}, "operand_bits must be 8, 16 or 18, not 12"),
        ({"rows": 12}, "rows must be 8, 16, 32 or 64, not 12"),
        ({"columns": 3}, "columns must be in 4..64, not 3"),
        ({"channel_axis": "planes"}, "channel_axis must be rows or columns, not planes"),
        ({"channel_axis": "columns", "columns": 61}, "columns must be 8, 16, 32 or 64, not 61"),
        ({"channel_axis": "columns", "rows": 65}, "rows must be in 4..64, not 65"),
        ({"turns": 3}, "turns must be 1 or 2, not 3"),
        ({"taps": 5}, "taps must be in 1..4, not 5"),
        (
            {"data_bits": 128},
            "data_bits must be 64, 128, 256 or 512, and at most the 64 bits of a word of operands or weights, not 128",
        ),
        (
            {
                "operand_bits": 16,
                "rows": 64,
                "columns": 61,
                "data_bits": 512,
                "kernel_kib": 64,
                "burst_beats": 128,
            },
            "burst_beats must be at most 64 with 512 data_bits, not 128",
        ),
        ({"registers": 1}, "registers must be a power of two in 2..64, not 1"),
        ({"registers": 24}, "registers must be a power of two in 2..64, not 24"),
        ({"kernel_kib": 48}, "kernel_kib must be a power of two in 1..512, not 48"),
        ({"rows": 64, "columns": 64, "kernel_kib": 4}, "kernel_kib must be a power of two in 8..512, not 4"),
        ({"buffer_kib": 1024}, "buffer_kib must be in 1..512 for words of 8 channels, not 1024"),
        ({"columns": 64, "buffer_kib": 0}, "buffer_kib must be in 1..4096 for words of 64 channels, not 0"),
        (
            {"operand_bits": 18, "buffer_kib": 4096},
            "buffer_kib must be in 1..2048 for words of 8 channels, not 4096",
        ),
        (
            {"operand_bits": 16, "rows": 64, "columns": 64, "kernel_kib": 8},
            "kernel_kib must be a power of two in 16..512, not 8",
        ),
        ({"lanes": 4}, "lanes must be 8, not 4"),
        ({"parameter_beats": 8}, "parameter_beats must be a power of two in 64..4096, not 8"),
        ({"queue_depth": 3}, "queue_depth must be 2, 4, 8 or 16, not 3"),
    ],
)
def test_refuses_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        replace(CnnArrayConfig(), **change)


def test_presets_are_what_their_names_say() -> None:
    assert {
        name: (config.operand_bits, config.rows, config.columns, config.peak_macs)
        for name, config in PRESETS.items()
    } == {
        "catapult-8x8": (8, 8, 8, 64),
        "catapult-8x8-fixed16": (16, 8, 8, 64),
        "catapult-16x16": (8, 16, 16, 256),
        "catapult-16x16-fixed16": (16, 16, 16, 256),
        "catapult-61x64": (16, 61, 64, 3904),
    }


def test_the_large_one_has_channels_on_its_columns() -> None:
    config = PRESETS["catapult-61x64"]
    assert (config.channel_units, config.pixel_units, config.brick_channels) == (64, 61, 64)
    assert config.cores * config.core_outputs == 128  # in two turns
    turned = replace(config, rows=64, columns=61, channel_axis="rows")
    assert (turned.channel_units, turned.pixel_units) == (64, 61)


def test_hashes_tell_configurations_apart() -> None:
    configs = [*PRESETS.values(), replace(PRESETS["catapult-8x8"], registers=8)]
    assert len({config.hash for config in configs}) == len(configs)


def test_the_largest_kernel_buffers_are_what_an_address_of_weights_reaches() -> None:
    for rows in (8, 64):
        config = replace(CnnArrayConfig(), rows=rows, kernel_kib=512)
        assert config.weight_words * config.rows == 1 << 19
        assert config.weight_words <= 1 << 16
