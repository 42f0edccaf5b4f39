"""cocotb benches run from wheels alone; a failing one leaves its seed, log and waveform."""

import shutil

import pytest

from celosia.sim import ToolError
from celosia.sim.cocotb_runner import BenchError, run_bench
from tests.sim.copy_engine import copy_engine_verilog

BENCH = "tests.sim.cocotb_copy_engine"
PASSING = {"pause_probability": 0.4, "expected_errors": 0}
FAILING = {"pause_probability": 0.0, "expected_errors": 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bench_passes_with_random_pauses(seed, tmp_path):
    run_bench(copy_engine_verilog(), "celosia", BENCH, seed=seed, directory=tmp_path, parameters=PASSING)
    assert f"Seeding Python random module with {seed}" in (tmp_path / "bench.log").read_text()
    assert not (tmp_path / "dump.vcd").exists()


def test_a_bench_needs_no_compiler_perl_or_make(tmp_path, empty_cache, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert not any(shutil.which(tool) for tool in ("make", "perl", "g++", "cc"))
    run_bench(
        copy_engine_verilog(),
        "celosia",
        BENCH,
        seed=1,
        directory=tmp_path,
        parameters=PASSING,
        cache_directory=empty_cache,
    )


def test_a_failing_bench_leaves_seed_log_and_waveform(tmp_path):
    with pytest.raises(BenchError) as error:
        run_bench(copy_engine_verilog(), "celosia", BENCH, seed=7, directory=tmp_path, parameters=FAILING)
    message = str(error.value)
    assert "failed with seed 7: 1 of 1 tests failed" in message
    assert str(tmp_path / "dump.vcd") in message
    assert "assert 0 == 1" in message
    assert "$var wire" in (tmp_path / "dump.vcd").read_text()


def test_a_waveform_is_not_made_when_not_wanted(tmp_path):
    with pytest.raises(BenchError, match="seed 7"):
        run_bench(
            copy_engine_verilog(),
            "celosia",
            BENCH,
            seed=7,
            directory=tmp_path,
            parameters=FAILING,
            waveform_on_failure=False,
        )
    assert not (tmp_path / "dump.vcd").exists()


def test_a_test_module_that_cannot_be_imported_fails(tmp_path):
    with pytest.raises(BenchError, match=r"no results|no test ran"):
        run_bench(
            copy_engine_verilog(),
            "celosia",
            "tests.sim.no_such_bench",
            seed=1,
            directory=tmp_path,
            waveform_on_failure=False,
        )


def test_a_missing_top_is_named(tmp_path):
    with pytest.raises(ToolError, match="no_such_top"):
        run_bench(copy_engine_verilog(), "no_such_top", BENCH, seed=1, directory=tmp_path)
