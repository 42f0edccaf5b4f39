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
        ({"columns": 4}, "columns must be 8, 16, 32 or 64, not 4"),
        ({"registers": 1}, "registers must be a power of two in 2..64, not 1"),
        ({"registers": 24}, "registers must be a power of two in 2..64, not 24"),
        ({"kernel_kib": 48}, "kernel_kib must be a power of two in 1..512, not 48"),
        ({"rows": 64, "columns": 64, "kernel_kib": 4}, "kernel_kib must be a power of two in 8..512, not 4"),
        ({"buffer_kib": 1024}, "buffer_kib must be in 1..512 for 8 columns, not 1024"),
        ({"columns": 64, "buffer_kib": 0}, "buffer_kib must be in 1..4096 for 64 columns, not 0"),
        ({"operand_bits": 18, "buffer_kib": 4096}, "buffer_kib must be in 1..2048 for 8 columns, not 4096"),
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
    }


def test_hashes_tell_configurations_apart() -> None:
    configs = [*PRESETS.values(), replace(PRESETS["catapult-8x8"], registers=8)]
    assert len({config.hash for config in configs}) == len(configs)


def test_the_largest_kernel_buffers_are_what_an_address_of_weights_reaches() -> None:
    for rows in (8, 64):
        config = replace(CnnArrayConfig(), rows=rows, kernel_kib=512)
        assert config.weight_words * config.rows == 1 << 19
        assert config.weight_words <= 1 << 16
