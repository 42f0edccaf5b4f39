"""The engine's Verilog is clean for linters, and identical components are in it once."""

from dataclasses import replace
from pathlib import Path

import pytest

from celosia.generators.cnn_array.config import PRESETS
from celosia.generators.generate import engine_verilog
from tests.verilog_lint import lint


@pytest.mark.parametrize("preset", ["catapult-8x8", pytest.param("catapult-16x16", marks=pytest.mark.slow)])
def test_verilog_is_clean_for_verilator(preset: str, tmp_path: Path) -> None:
    text = engine_verilog(PRESETS[preset]).text
    (tmp_path / "celosia.v").write_text(text)
    assert lint(tmp_path / "celosia.v") == ""
    assert text.count("\nmodule \\celosia.functional_unit ") == 1
    assert text.count("\nmodule \\celosia.column ") == 1


@pytest.mark.slow
def test_verilog_grows_with_the_sides_not_with_the_area() -> None:
    sizes = [
        len(engine_verilog(replace(PRESETS["catapult-16x16"], rows=side, columns=side)).text)
        for side in (16, 32, 64)
    ]
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])
    assert sizes[2] < 3_000_000
