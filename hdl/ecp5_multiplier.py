"""The multiplier of Lattice ECP5: a MULT18X18D with its own input and output registers."""

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, signed

from .multiplier import Multiplier

_BITS = 18


def ecp5_multiplier(multiplier: Multiplier) -> Module:
    """What a platform's `get_multiplier` returns on ECP5; same cycles and bits as the inferred `Multiplier`.

    Yosys infers MULT18X18D without its registers, which costs a third of the clock frequency. Source: Lattice
    TN1267, "LatticeECP5 sysDSP usage guide"; the ports SRIA and SRIB are for cascades and stay unconnected.
    """
    m = Module()
    a = Signal(signed(_BITS))
    b = Signal(signed(_BITS))
    product = Signal(signed(2 * _BITS))
    m.d.comb += [a.eq(multiplier.a), b.eq(multiplier.b), multiplier.product.eq(product)]

    registers = {f"p_REG_{name}_CLK": "CLK0" for name in ("INPUTA", "INPUTB", "OUTPUT")}
    operands = {f"i_{name}{bit}": value[bit] for name, value in (("A", a), ("B", b)) for bit in range(_BITS)}
    unused = {f"i_C{bit}": Const(0, 1) for bit in range(_BITS)}
    m.submodules.block = Instance(
        "MULT18X18D",
        **registers,
        **operands,
        **unused,
        **{f"o_P{bit}": product[bit] for bit in range(2 * _BITS)},
        p_GSR="DISABLED",
        i_CLK0=ClockSignal(),
        i_CE0=Const(1, 1),
        i_RST0=Const(0, 1),
        i_SIGNEDA=Const(1, 1),
        i_SIGNEDB=Const(1, 1),
        i_SOURCEA=Const(0, 1),
        i_SOURCEB=Const(0, 1),
    )
    return m
