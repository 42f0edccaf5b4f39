"""The engine's Verilog is clean for linters, and identical components are in it once."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.generators.generate import engine_verilog
from tests.verilog_lint import lint

CONFIGS = {
    **PRESETS,
    "5x8 in rounds": replace(
        PRESETS["catapult-61x64"],
        rows=5,
        columns=8,
        registers=4,
        kernel_kib=8,
        buffer_kib=16,
        data_bits=128,
        parameter_beats=64,
    ),
}
LARGE = "catapult-61x64"
_MOST_SECONDS, _MOST_BYTES = 15, 3_000_000


@pytest.mark.parametrize(
    "name",
    [
        "catapult-8x8",
        "5x8 in rounds",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("catapult-16x16", LARGE)),
    ],
)
def test_verilog_is_clean_for_verilator(name: str, tmp_path: Path) -> None:
    text = engine_verilog(CONFIGS[name]).text
    (tmp_path / "celosia.v").write_text(text)
    assert lint(tmp_path / "celosia.v") == ""
    assert text.count("\nmodule \\celosia.functional_unit ") == 1
    assert text.count("\nmodule \\celosia.column ") == 1


def test_the_large_array_is_generated_soon_and_small() -> None:
    """Its units are elaborated and written once."""
    start = time.process_time()
    text = engine_verilog(PRESETS[LARGE]).text
    assert time.process_time() - start < _MOST_SECONDS
    assert len(text) < _MOST_BYTES


@pytest.mark.slow
def test_verilog_grows_with_the_sides_not_with_the_area() -> None:
    sizes = [
        len(engine_verilog(replace(PRESETS["catapult-16x16"], rows=side, columns=side)).text)
        for side in (16, 32, 64)
    ]
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])
    assert sizes[2] < 3_000_000
