"""What stands for a product on Xilinx's devices is the same product, told to be a DSP block."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.sim import Simulator

from celosia.generators.verilog import module_verilog
from celosia.hdl.multiplier import Multiplier
from celosia.hdl.verilog_platform import VerilogPlatform
from celosia.hdl.xilinx_platform import XilinxPlatform


@pytest.mark.parametrize(
    "shapes", [(signed(8), signed(9)), (signed(18), unsigned(17)), (unsigned(2), unsigned(3))]
)
def test_it_is_the_generic_multiplier_cycle_by_cycle(shapes: Any) -> None:
    generic, xilinx = Multiplier(*shapes), Multiplier(*shapes)
    m = Module()
    m.submodules.generic = generic
    m.submodules.xilinx = XilinxPlatform().get_multiplier(xilinx)
    m.d.comb += [xilinx.a.eq(generic.a), xilinx.b.eq(generic.b)]

    async def compare(ctx: Any) -> None:
        values = random.Random(1)
        for _ in range(50):
            ctx.set(generic.a, values.getrandbits(18))
            ctx.set(generic.b, values.getrandbits(18))
            await ctx.tick()
            assert ctx.get(xilinx.product) == ctx.get(generic.product)

    simulator = Simulator(m)
    simulator.add_clock(1e-8)
    simulator.add_testbench(compare)
    simulator.run()


@pytest.mark.parametrize(("platform", "is_told"), [(XilinxPlatform(), True), (VerilogPlatform(), False)])
def test_only_there_is_a_product_told_to_be_a_dsp_block(platform: VerilogPlatform, is_told: bool) -> None:
    multiplier = Multiplier(signed(8), signed(8))
    m = Module()
    m.submodules.multiplier = multiplier
    text = module_verilog(m, "product", [multiplier.a, multiplier.b, multiplier.product], platform)
    assert ('(* use_dsp = "yes" *)' in text) == is_told
    assert "MULT18X18D" not in text
