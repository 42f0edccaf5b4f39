"""A very small design for ULX3S with the board's clocks: the tools take it in seconds."""

from amaranth.back import verilog
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal

from celosia.boards.accelerator_system import LINE_DOMAIN
from celosia.boards.board import BOARDS
from celosia.boards.board_clocks import pll_domains
from celosia.boards.board_sources import BOARD_NAME
from celosia.boards.ecp5_build import Ecp5Design
from celosia.boards.ecp5_pll import Ecp5Pll, Ecp5PllSettings

BOARD = BOARDS["ulx3s_85f"]
_PINS = {"clk25": "G2", "led[0]": "B2", "led[1]": "C2", "led[2]": "C1", "led[3]": "D2"}


def blinker(clocks: Ecp5PllSettings, *, bits: int = 8) -> Ecp5Design:
    """A counter of `bits` in every clock domain of ULX3S, its last bit on a light."""
    oscillator = Signal(name="clk25")
    led = Signal(4, name="led")
    m = Module()
    m.submodules.pll = pll = Ecp5Pll(clocks)
    m.d.comb += pll.reference.eq(oscillator)
    inputs = [*pll.clocks, oscillator]
    for index, domain in enumerate((*pll_domains(BOARD.memory), LINE_DOMAIN)):
        m.domains += ClockDomain(domain, reset_less=True)
        count = Signal(bits, name=f"count_{domain}")
        m.d.comb += [ClockSignal(domain).eq(inputs[index]), led[index].eq(count[-1])]
        m.d[domain] += count.eq(count + 1)
    text = verilog.convert(m, name=BOARD_NAME, ports=[oscillator, led], emit_src=False)
    constraints = [f'FREQUENCY PORT "clk25" {BOARD.oscillator} HZ;']
    for pin, site in _PINS.items():
        constraints += [f'LOCATE COMP "{pin}" SITE "{site}";', f'IOBUF PORT "{pin}" IO_TYPE=LVCMOS33;']
    return Ecp5Design(((f"{BOARD_NAME}.v", text),), "\n".join(constraints) + "\n", clocks)
