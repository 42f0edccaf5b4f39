"""How ACTIVATE reads the accumulators that COMPUTE fills."""

from amaranth.hdl import Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .tile_config import TileConfig

ACCUMULATOR_READ_LATENCY = 3
"""Cycles from a read request to its `values`: requested in cycle n, visible in cycle n + 3."""

FREEING_CYCLES = 11
"""How long before a tile's last read its half may be promised: COMPUTE needs one cycle more to reach it."""


class AccumulatorPort(wiring.Signature):
    """The accumulators as COMPUTE offers them; flip it for ACTIVATE.

    Tiles arrive and are drained in the order of the loop nest. Which of the two halves holds the tile is COMPUTE's
    business: a read always means the oldest tile that is not drained.

    Members
    -------
    filled : Out(1)
        The oldest undrained tile is complete and may be read, from this very cycle on. Stays high until
        `drained`; in the cycle after that it speaks of the next tile.
    drained : In(1)
        High for one cycle, with or after the tile's last read request, and only while `filled`. Reads requested
        earlier or in the same cycle still deliver; from the next cycle on, requests mean the next tile.
    freeing : In(1)
        High for one cycle for every tile, at most `FREEING_CYCLES` before its `drained` or with it: from now on all
        reads follow each other without a pause, so that COMPUTE may start to fill the half anew.
    core : In(range(cores))
        Core to read; held for no longer than the request's cycle. A request every cycle is fine.
    address : In(range(tile_pixels))
        Accumulator of that core: row * groups + group.
    values : Out(core_outputs x signed(sum_bits))
        The core's output channels, channel r at index r, `ACCUMULATOR_READ_LATENCY` cycles after the request.
        Undefined for requests made while `filled` is low.
    """

    def __init__(self, config: TileConfig) -> None:
        super().__init__(
            {
                "filled": Out(1),
                "drained": In(1),
                "freeing": In(1),
                "core": In(unsigned(max(1, (config.cores - 1).bit_length()))),
                "address": In(range(config.tile_pixels)),
                "values": Out(data.ArrayLayout(signed(config.sum_bits), config.core_outputs)),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "AccumulatorReads":
        """The interface with these members."""
        return AccumulatorReads(self, path=path, src_loc_at=1 + src_loc_at)


class AccumulatorReads(wiring.PureInterface):
    """Interface of `AccumulatorPort`."""

    filled: Signal
    drained: Signal
    freeing: Signal
    core: Signal
    address: Signal
    values: data.View
