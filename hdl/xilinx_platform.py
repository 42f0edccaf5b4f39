"""What Xilinx's devices have of their own when gateware is written for them."""

from amaranth.hdl import Module, Signal

from .multiplier import Multiplier
from .verilog_platform import VerilogPlatform


class XilinxPlatform(VerilogPlatform):
    """`VerilogPlatform` whose products Vivado puts into DSP48E1 with their registers, however narrow they are."""

    def get_multiplier(self, multiplier: Multiplier) -> Module:
        """What stands for `multiplier` in the netlist; called by `Multiplier.elaborate`."""
        m = Module()
        a = Signal.like(multiplier.a, reset_less=True)
        b = Signal.like(multiplier.b, reset_less=True)
        # Without the attribute, products of few bits become LUTs.
        product = Signal.like(multiplier.product, reset_less=True, attrs={"use_dsp": "yes"})
        m.d.sync += [a.eq(multiplier.a), b.eq(multiplier.b), product.eq(a * b)]
        m.d.comb += multiplier.product.eq(product)
        return m
