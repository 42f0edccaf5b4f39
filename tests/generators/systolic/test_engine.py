"""The engine's Verilog is clean for linters and says what configuration it is of."""

from pathlib import Path

import pytest

from celosia.generators.families import family_of
from celosia.generators.generate import engine_verilog
from celosia.generators.systolic.config import PRESETS
from celosia.generators.systolic.counters import COUNTERS, SHIFT_CAUSE, VECTOR_CAUSE
from tests.verilog_lint import lint


@pytest.mark.parametrize(
    "preset",
    [
        "tpu-8x8",
        "tpu-16x16",
        pytest.param("tpu-32x32", marks=pytest.mark.slow),
        pytest.param("tpu-256x256", marks=pytest.mark.slow),
    ],
)
def test_verilog_is_clean_for_verilator(preset: str, tmp_path: Path) -> None:
    text = engine_verilog(PRESETS[preset]).text
    (tmp_path / "celosia.v").write_text(text)
    assert lint(tmp_path / "celosia.v") == ""
    assert len(text) < 2_000_000


def test_causes_are_in_the_order_of_the_counters() -> None:
    names = [entry.name for entry in family_of(PRESETS["tpu-8x8"]).counters]
    assert names == [entry.name for entry in COUNTERS] == ["WEIGHT_SHIFT", "VECTOR", "USEFUL_MACS"]
    assert VECTOR_CAUSE == SHIFT_CAUSE + 1
