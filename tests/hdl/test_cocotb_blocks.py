"""Runs the cocotb benches of the blocks of hdl/ on Verilator, with cocotbext-axi as the bus peer."""

from pathlib import Path

import pytest
from amaranth.back import verilog

from celosia.sim.cocotb_runner import run_bench
from tests.hdl.blocks_top import BlocksTop

TOP = "blocks"


@pytest.fixture(scope="module")
def blocks() -> str:
    """Verilog of all blocks side by side."""
    top = BlocksTop()
    return verilog.convert(top, name=TOP, ports=top.ports, strip_internal_attrs=True)


@pytest.mark.parametrize("bench", ["cocotb_blocks", "cocotb_datapath"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_block_keeps_step_with_its_model(blocks: str, seed: int, bench: str, tmp_path: Path) -> None:
    run_bench(blocks, TOP, f"tests.hdl.{bench}", seed=seed, directory=tmp_path)


@pytest.mark.parametrize("seed", [1, 2])
def test_memories_keep_what_a_manager_writes(blocks: str, seed: int, tmp_path: Path) -> None:
    run_bench(blocks, TOP, "tests.hdl.cocotb_memories", seed=seed, directory=tmp_path)
