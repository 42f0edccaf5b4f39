"""Bias, multiplier and shift of every output channel, fetched ahead of the accumulators that need them."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..destination_port import BEAT_BITS, destination_write_signature
from .accumulator_port import ACCUMULATOR_READ_LATENCY
from .commands import BIAS_BEATS, BRICK_CHANNELS, PARAMETER_BEATS, Destination
from .tile_config import TileConfig

PARAMETER_LATENCY = ACCUMULATOR_READ_LATENCY
"""Cycles from `block` and `part` to `parameters`, which meet their accumulators."""

FETCH_LATENCY = 3
"""Cycles from the request of a block's last beat until the block is available."""

_MULTIPLIER_BITS = 31
_SHIFT_BITS = 6
_BLOCK_RAM: dict[str, Any] = {"ram_style": "block", "no_rw_check": 1}
_LUT_RAM: dict[str, Any] = {"ram_style": "distributed"}


def channel_parameters() -> data.StructLayout:
    """Parameters of one output channel, in the shapes of `hdl.requantize.accumulator_layout`."""
    return data.StructLayout(
        {"bias": signed(32), "multiplier": unsigned(_MULTIPLIER_BITS), "shift": signed(_SHIFT_BITS)}
    )


def parameter_command(config: TileConfig) -> data.StructLayout:
    """What the store must know of an ACTIVATE: where its blocks start, how many there are, how many at once."""
    return data.StructLayout(
        {
            "address": range(config.parameter_beats),
            "blocks": unsigned(12),
            "group_last": range(max(2, group_blocks(config))),
            "uniform": unsigned(1),
            "uniform_scale": unsigned(1),
        }
    )


def group_blocks(config: TileConfig) -> int:
    """Parameter blocks that are needed at once: one for every core on its own output block."""
    return config.cores


class ParameterStore(wiring.Component):
    """A ring of 64-bit beats that WEIGHTS fills, and two groups of parameter blocks taken out of it.

    A group is what the blocks of one block group need: one parameter block (8 channels, `PARAMETER_BEATS`
    beats) for every output block, or one for two with four outputs a core. With `uniform_scale` all blocks but the
    command's first are `BIAS_BEATS` beats, and have the multipliers and shifts of that one. While one group is in use,
    the next one is fetched at a beat a cycle, groups and blocks without a gap. `start` in cycle t requests the
    first beat in t + 1; a group after the second is requested from the cycle after `release` of the group
    two before it. A block whose last beat is requested in cycle t is `available` from t + `FETCH_LATENCY` on.
    So the first block is there 12 cycles after `start`; later ones cost nothing while a group's tiles take at
    least as many cycles a block as it has beats.

    Cost: the ring in block RAM; in LUT RAM two groups of blocks x 8 channels x 71 bits.

    Members:
        writes: WEIGHTS' port; beats for `Destination.PARAMETER_STORE` go into the ring.
        command: hold from `start` until the ACTIVATE is complete. `blocks` is the number of parameter
            blocks, `group_last` the blocks of a full group less one; `uniform`: fetch one block, give it for all;
            `uniform_scale`: give its multipliers and shifts for all.
        start: drops what is there and fetches the command's first groups.
        block, part: which block of the group in use, and which `lanes` of its 8 channels.
        available: that block is there.
        parameters: one entry a lane, `PARAMETER_LATENCY` cycles after `block` and `part`.
        release: the group in use is no longer needed; the next one takes its place in the next cycle.
    """

    writes: stream.Interface
    command: data.View
    start: Signal
    block: Signal
    part: Signal
    available: Signal
    parameters: data.View
    release: Signal

    def __init__(self, config: TileConfig) -> None:
        self._depth = config.parameter_beats
        self._lanes = config.lanes
        self._blocks = group_blocks(config)
        self._parts = BRICK_CHANNELS // config.lanes
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "command": In(parameter_command(config)),
                "start": In(1),
                "block": In(range(max(2, self._blocks))),
                "part": In(range(max(2, self._parts))),
                "available": Out(1),
                "parameters": Out(data.ArrayLayout(channel_parameters(), config.lanes)),
                "release": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Ring -> fetch -> two groups of blocks -> lanes."""
        m = Module()
        command = self.command

        # The ring is read where a token says that WEIGHTS has written it, never at the address being written.
        m.submodules.ring = ring = Memory(shape=BEAT_BITS, depth=self._depth, init=[], attrs=_BLOCK_RAM)
        ring_write = ring.write_port()
        ring_read = ring.read_port()
        written = self.writes.payload
        m.d.comb += [
            ring_write.en.eq(self.writes.valid & (written.destination == Destination.PARAMETER_STORE)),
            ring_write.addr.eq(written.address),
            ring_write.data.eq(written.data),
        ]

        # Request: one beat a cycle while the group that it belongs to is free.
        address = Signal(range(self._depth))
        blocks_left = Signal(12)
        beat = Signal(range(PARAMETER_BEATS))
        last_beat = Signal.like(beat)  # of the block
        block = Signal.like(self.block)
        group = Signal()
        requested = Signal(2)
        in_use = Signal()
        loaded, loaded_next = (
            Signal(self._blocks),
            Signal(self._blocks),
        )  # of the group in use, of the other one
        request = Signal()
        m.d.comb += [
            request.eq((blocks_left != 0) & ~(requested >> group)[0]),
            ring_read.en.eq(1),
            ring_read.addr.eq(address),
        ]
        with m.If(request):
            m.d.sync += [address.eq(Mux(address == self._depth - 1, 0, address + 1)), beat.eq(beat + 1)]
            with m.If(beat == last_beat):
                m.d.sync += [beat.eq(0), blocks_left.eq(blocks_left - 1), block.eq(block + 1)]
                with m.If(command.uniform_scale):
                    m.d.sync += last_beat.eq(BIAS_BEATS - 1)
                with m.If((block == command.group_last) | (blocks_left == 1)):
                    m.d.sync += [block.eq(0), group.eq(~group), requested.bit_select(group, 1).eq(1)]

        # Arrival, two cycles later: nothing but a register fits behind the block RAM of an ECP5 (5.6 ns).
        place = data.StructLayout(
            {"valid": 1, "beat": beat.shape(), "is_last": 1, "block": block.shape(), "group": 1}
        )
        reading = Signal(place)
        arrived = Signal(place)
        arrived_beat = Signal(BEAT_BITS, reset_less=True)
        m.d.sync += [
            reading.valid.eq(request),
            reading.beat.eq(beat),
            reading.is_last.eq(beat == last_beat),
            reading.block.eq(block),
            reading.group.eq(group),
            arrived.eq(reading),
            arrived_beat.eq(ring_read.data),
        ]
        block_bits = (self._blocks - 1).bit_length()
        wanted = self.block[:block_bits]
        own_block = wanted & ~command.uniform.replicate(block_bits) if block_bits else wanted
        now_loaded = Signal(self._blocks)
        with m.If(arrived.valid & arrived.is_last):
            m.d.comb += now_loaded.eq(Mux(command.uniform, -1, 1 << arrived.block[:block_bits]))
        with m.If(arrived.group == in_use):
            m.d.sync += loaded.eq(loaded | now_loaded)
        with m.Else():
            m.d.sync += loaded_next.eq(loaded_next | now_loaded)
        # One bit a block: every cycle's read waits for this answer.
        m.d.comb += self.available.eq((loaded >> wanted)[0] if block_bits else loaded)

        self._lookup(
            m,
            beat=arrived_beat,
            write=arrived.valid,
            write_beat=arrived.beat,
            write_place=Cat(arrived.block[:block_bits], arrived.group),
            bias_place=_delayed(m, Cat(own_block, in_use)),
            scale_place=_delayed(m, Mux(command.uniform_scale, 0, Cat(own_block, in_use))),
            read_part=_delayed(m, self.part[: (self._parts - 1).bit_length()]),
        )

        with m.If(self.release & ~command.uniform):
            m.d.sync += [in_use.eq(~in_use), requested.bit_select(in_use, 1).eq(0)]
            # Nothing arrives any more for the group that is released.
            m.d.sync += [loaded.eq(loaded_next | now_loaded), loaded_next.eq(0)]
        with m.If(self.start):
            m.d.sync += [
                address.eq(command.address),
                blocks_left.eq(Mux(command.uniform, 1, command.blocks)),
                beat.eq(0),
                last_beat.eq(PARAMETER_BEATS - 1),
                block.eq(0),
                group.eq(0),
                requested.eq(0),
                in_use.eq(0),
                loaded.eq(0),
                loaded_next.eq(0),
            ]
        return m

    def _lookup(
        self,
        m: Module,
        *,
        beat: Value,
        write: Value,
        write_beat: Value,
        write_place: Value,
        bias_place: Value,
        scale_place: Value,
        read_part: Value,
    ) -> None:
        """The blocks of both groups in LUT RAM, a row for each part: arriving beats in, registered lanes out."""
        pairs = self._lanes // 2
        part_bits = len(read_part)
        places = 1 << len(bias_place)

        # A beat holds an int32 for each of two neighbouring channels, so it belongs to one pair of lanes of one part.
        for name, first_beat, bits, read_place in (
            ("bias", 0, 32, bias_place),
            ("multiplier", BIAS_BEATS, _MULTIPLIER_BITS, scale_place),
        ):
            for pair in range(pairs):
                m.submodules[f"{name}_{pair}"] = memory = Memory(
                    shape=2 * bits, depth=places * self._parts, init=[], attrs=_LUT_RAM
                )
                port = memory.write_port()
                read = memory.read_port(domain="comb")
                m.d.comb += [
                    port.addr.eq(Cat((write_beat // pairs)[:part_bits], write_place)),
                    read.addr.eq(Cat(read_part, read_place)),
                ]
                with m.Switch(write_beat):
                    for part in range(self._parts):
                        with m.Case(first_beat + part * pairs + pair):
                            m.d.comb += port.en.eq(write)
                m.d.comb += port.data.eq(Cat(beat[:bits], beat[32 : 32 + bits]))
                for half in range(2):
                    m.d.sync += self.parameters[2 * pair + half][name].eq(read.data.word_select(half, bits))

        # The last beat holds the shifts of all eight channels, an int8 each.
        m.submodules.shift = memory = Memory(
            shape=data.ArrayLayout(signed(_SHIFT_BITS), BRICK_CHANNELS), depth=places, init=[], attrs=_LUT_RAM
        )
        port = memory.write_port()
        read = memory.read_port(domain="comb")
        m.d.comb += [
            port.en.eq(write & (write_beat == PARAMETER_BEATS - 1)),
            port.addr.eq(write_place),
            read.addr.eq(scale_place),
        ]
        for channel in range(BRICK_CHANNELS):
            m.d.comb += port.data[channel].eq(beat[8 * channel : 8 * channel + _SHIFT_BITS])
        for lane in range(self._lanes):
            shifts = Array(read.data[part * self._lanes + lane] for part in range(self._parts))
            m.d.sync += self.parameters[lane].shift.eq(shifts[read_part])


def _delayed(m: Module, value: Value) -> Value:
    """`value`, as the registered read needs it. A place released in cycle t is written in t + 3 at the earliest."""
    assert PARAMETER_LATENCY <= 4, "a place would be written again before its last read"
    if not len(value):
        return value  # Verilog has no registers of no bits
    for _ in range(PARAMETER_LATENCY - 1):
        value, previous = Signal(len(value), name="delayed", reset_less=True), value
        m.d.sync += value.eq(previous)
    return value
