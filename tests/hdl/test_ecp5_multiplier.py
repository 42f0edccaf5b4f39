"""On ECP5 a `Multiplier` is one MULT18X18D with its registers."""

import re

from amaranth.back import verilog
from amaranth.hdl import Module, signed, unsigned

from celosia.hdl.ecp5_multiplier import ecp5_multiplier
from celosia.hdl.multiplier import Multiplier


class Ecp5:
    """A platform with nothing but the multiplier."""

    def get_multiplier(self, multiplier: Multiplier) -> Module:
        return ecp5_multiplier(multiplier)


def test_is_one_block_with_input_and_output_registers() -> None:
    text = verilog.convert(Multiplier(signed(15), unsigned(17)), platform=Ecp5())
    assert len(re.findall(r"^ *MULT18X18D #\(", text, re.MULTILINE)) == 1
    assert "*" not in re.sub(r"\(\*.*?\*\)|/\*.*?\*/", "", text, flags=re.DOTALL), (
        "a product was left to inference"
    )
    for register in ("INPUTA", "INPUTB", "OUTPUT"):
        assert f'.REG_{register}_CLK("CLK0")' in text


def test_operands_are_extended_by_their_own_sign() -> None:
    """An unsigned operand's upper bits are zero, a signed one's copies of its sign bit."""
    text = verilog.convert(Multiplier(signed(15), unsigned(17)), platform=Ecp5(), name="multiplier")
    assert ".A17(a[14])" in text
    assert ".B17(1'h0)" in text
