"""Which weights the units take in which cycle where commands say how long that lasts."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from ..chassis.tiles.weight_loading import weight_loading_members
from .config import CnnArrayConfig
from .kernel_walk import kernel_read_layout


class RoundWalk(wiring.Component):
    """Walks a step's words of weights again and again, once for every P pixels: a round.

    A round is at least as long as its P reads; if it is longer, the reads of the next one wait for it. In modes
    without weights it is as long as the reads. The next step may start in the last cycle of a round that no read
    follows, or later. The steps of a block group lie behind each other, and every tile of the group takes them from
    the group's start.

    Members: see `chassis.tiles.weight_loading.WeightLoading`.
        read: of this cycle, `kernel_read_layout`.
    """

    command: data.View
    constants: data.View
    start: Signal
    step_taken: Signal
    step_ends_tile: Signal
    step_ends_blocks: Signal
    step_is_last: Signal
    step_ends: Signal
    read: data.View
    ready: Signal
    coming: Signal
    pausing: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                **weight_loading_members(config, kernel_read_layout(config)),
                "pausing": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A count of the round's cycles, and where step and block group begin."""
        m = Module()
        pixels = self._config.pixel_units
        walking, is_last, ends, is_last_step = Signal(), Signal(), Signal(), Signal()
        place, last, before_last = (
            Signal(self.command.round_last.shape(), name=name) for name in ("place", "last", "before_last")
        )
        address, present, following, group, beyond = (
            Signal(range(self._config.weight_words), name=name)
            for name in ("address", "present", "following", "group", "beyond")
        )
        m.d.sync += [
            last.eq(Mux(self.constants.reads_weights, self.command.round_last, pixels - 1)),
            before_last.eq(last - 1),
            beyond.eq(following + last + 1),
            self.ready.eq(self.coming),
        ]
        m.d.comb += [
            is_last.eq(place == last),
            ends.eq(is_last & self.step_ends),
            self.read.reading.eq(walking),
            self.read.address.eq(address),
            self.read.ends.eq(walking & ends & is_last_step & self.constants.reads_weights),
            self.coming.eq(~walking | ends | (place == before_last)),
            self.pausing.eq(walking & (place >= pixels - 1) & ~is_last),
        ]
        with m.If(walking):
            m.d.sync += [
                place.eq(Mux(is_last, 0, place + 1)),
                address.eq(Mux(is_last, present, address + 1)),
                walking.eq(~ends),
            ]
        with m.If(self.step_taken):
            m.d.sync += [
                walking.eq(1),
                is_last_step.eq(self.step_is_last),
                place.eq(0),
                self.ready.eq(0),
                address.eq(following),
                present.eq(following),
                following.eq(Mux(self.step_ends_tile & ~self.step_ends_blocks, group, beyond)),
            ]
            with m.If(self.step_ends_blocks):
                m.d.sync += group.eq(beyond)
        with m.If(self.start):
            m.d.sync += [following.eq(self.command.weight_address), group.eq(self.command.weight_address)]
        return m
