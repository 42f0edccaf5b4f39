"""The pins of an SDR SDRAM of 16 data bits, and the commands on them."""

import enum

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .sdram_timing import BURST_HALVES, SdramGeometry

ALL_BANKS = 1 << 10
"""Address pin 10: PRECHARGE closes the rows of all banks."""

HALF_BITS = 16
"""Data pins."""


class SdramCommand(enum.Enum):
    """A command as its strobes, active high: bit 0 WE, bit 1 CAS, bit 2 RAS."""

    NOP = 0b000
    BURST_TERMINATE = 0b001
    READ = 0b010
    WRITE = 0b011
    ACTIVE = 0b100
    PRECHARGE = 0b101
    REFRESH = 0b110
    LOAD_MODE = 0b111


COMMAND_BITS = 3


def command_layout(geometry: SdramGeometry) -> data.StructLayout:
    """A command with its address: `strobes` (`SdramCommand`), `bank` and `address` (row, column or mode)."""
    return data.StructLayout(
        {"strobes": COMMAND_BITS, "bank": geometry.bank_bits, "address": geometry.row_bits}
    )


def mode_register(cas_latency: int) -> int:
    """The mode: sequential bursts of `BURST_HALVES` columns, reads and writes alike."""
    return cas_latency << 4 | (BURST_HALVES.bit_length() - 1)


class SdramPinsSignature(wiring.Signature):
    """A controller's side of the pins; names as in amaranth-boards' `SDRAMResource`, all active high.

    Members:
        clk_en, cs, ras, cas, we: the command; the clock itself is the board's affair.
        ba: bank.
        a: row, column or mode.
        dqm: bit i masks byte i of the data pins.
        dq_o, dq_oe, dq_i: data pins: driven, drive enable, received.
    """

    def __init__(self, geometry: SdramGeometry) -> None:
        super().__init__(
            {
                "clk_en": Out(1),
                "cs": Out(1),
                "ras": Out(1),
                "cas": Out(1),
                "we": Out(1),
                "ba": Out(geometry.bank_bits),
                "a": Out(geometry.row_bits),
                "dqm": Out(HALF_BITS // 8),
                "dq_o": Out(HALF_BITS),
                "dq_oe": Out(1),
                "dq_i": In(HALF_BITS),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "SdramPins":
        """The interface with these members."""
        return SdramPins(self, path=path, src_loc_at=1 + src_loc_at)


class SdramPins(wiring.PureInterface):
    """Interface of `SdramPinsSignature`."""

    clk_en: Signal
    cs: Signal
    ras: Signal
    cas: Signal
    we: Signal
    ba: Signal
    a: Signal
    dqm: Signal
    dq_o: Signal
    dq_oe: Signal
    dq_i: Signal
