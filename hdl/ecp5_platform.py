"""What Lattice ECP5 has of its own when gateware is written for it."""

from amaranth.hdl import Module

from .ecp5_multiplier import ecp5_multiplier
from .multiplier import Multiplier
from .verilog_platform import VerilogPlatform


class Ecp5Platform(VerilogPlatform):
    """`VerilogPlatform` whose products are MULT18X18D with their registers."""

    def get_multiplier(self, multiplier: Multiplier) -> Module:
        """What stands for `multiplier` in the netlist; called by `Multiplier.elaborate`."""
        return ecp5_multiplier(multiplier)
