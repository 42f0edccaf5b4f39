"""What LOAD and STORE find out before they touch the bus: size, place, and whether it is allowed."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.shared_module import shared_module
from .command import LOAD
from .region_check import BEAT_BYTES, BEAT_COUNT_BITS, SIZE_BITS, RegionCheck, regions_layout


def plan_cycles(rows: int, channels: int) -> int:
    """Cycles from `start` to `done` of a `TransferPlan`."""
    return channels.bit_length() + rows.bit_length() + 4


class TransferPlan(wiring.Component):
    """Multiplies rows x width x channels a bit a cycle, which costs an adder and no multiplier, then checks the region.

    Timing: `start` in cycle t gives `done` in t + bit_length(channels) + bit_length(rows) + 4.

    Members:
        start: begin; `command` (LOAD's or STORE's, which have the same fields) stays as it is until `done`.
        regions: `regions_layout`.
        done: for one cycle; the following hold from then on until the next `start`.
        empty: there is nothing to transfer.
        out_of_range: it reaches beyond its region.
        address: bus address of its first byte.
        beats: beats of the port that it touches.
    """

    start: Signal
    command: data.View
    regions: data.View
    done: Signal
    empty: Signal
    out_of_range: Signal
    address: Signal
    beats: Signal

    def __init__(self, address_bits: int, beat_bytes: int = BEAT_BYTES) -> None:
        self._address_bits = address_bits
        self._beat_bytes = beat_bytes
        super().__init__(
            {
                "start": In(1),
                "command": In(LOAD.struct()),
                "regions": In(regions_layout(address_bits)),
                "done": Out(1),
                "empty": Out(1),
                "out_of_range": Out(1),
                "address": Out(address_bits),
                "beats": Out(BEAT_COUNT_BITS),
            }
        )

    @shared_module
    def elaborate(self, platform: object) -> Module:
        """One shift-and-add multiplier, used twice, in front of the check."""
        m = Module()
        m.submodules.check = check = RegionCheck(self._address_bits, self._beat_bytes)
        factor = Signal(16)  # its bits are taken from the lowest up
        addend = Signal(SIZE_BITS)
        addend_overflow = Signal()
        product = Signal(SIZE_BITS)
        overflow = Signal()
        total = Signal(SIZE_BITS + 1)
        m.d.comb += [
            check.regions.eq(self.regions),
            check.region.eq(self.command.region),
            check.offset.eq(self.command.offset),
            check.size.eq(product),
            check.too_large.eq(overflow),
            total.eq(product + addend),
            self.out_of_range.eq(check.out_of_range),
            self.address.eq(check.address),
            self.beats.eq(check.beats),
        ]

        def step() -> None:
            with m.If(factor[0]):
                m.d.sync += [
                    product.eq(total),
                    overflow.eq(overflow | addend_overflow | total[-1]),
                ]
            m.d.sync += [
                factor.eq(factor >> 1),
                addend.eq(addend << 1),
                addend_overflow.eq(addend_overflow | addend[-1]),
            ]

        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [
                    factor.eq(self.command.channels),
                    addend.eq(self.command.width),
                    addend_overflow.eq(0),
                    product.eq(0),
                    overflow.eq(0),
                ]
                m.next = "PIXELS"
            with m.State("PIXELS"):
                step()
                with m.If(factor == 0):
                    m.d.sync += [
                        factor.eq(self.command.rows),
                        addend.eq(product),
                        addend_overflow.eq(overflow),
                        product.eq(0),
                        overflow.eq(0),
                    ]
                    m.next = "ROWS"
            with m.State("ROWS"):
                step()
                with m.If(factor == 0):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += self.empty.eq((product == 0) & ~overflow)
                m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
