"""A `ComputeUnit` with its memories, run in Amaranth's simulator: tiles and cycles as they were seen."""

import random
from collections import deque
from typing import Any

import numpy as np

from celosia.generators.chassis.counters import Cause
from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY, FREEING_CYCLES
from celosia.generators.chassis.tiles.commands import Destination, Mode
from celosia.generators.cnn_array.compute import ComputeUnit
from celosia.generators.cnn_array.compute_timing import ComputeTiming
from celosia.generators.cnn_array.config import CnnArrayConfig
from celosia.hdl.wide_brick_buffer import BRICK_READ_LATENCY
from tests.gateware import simulate

Fields = dict[str, int]

PAD = -3
_BRICKS = 1024
_PLAIN = {
    "stride_y": 1,
    "stride_x": 1,
    "dilation_y": 1,
    "dilation_x": 1,
    "pixel_cores_log2": 0,
    "accumulate": 0,
    "partial": 0,
    "ifm_ring_end": 0x1FFFF,
    "ifm2_ring_end": 0x1FFFF,
    "pad_value": PAD,
}


class ComputeBench:
    """Commands one after the other on one unit, with bricks, kernels and drains around it.

    Args:
        config: of the unit.
        commands: fields; those not named are as for a kernel of one step, without a ring.
        seed: of bricks, kernels, tables and gaps.
        gap: the chance that nothing is drained in a cycle.

    Attributes:
        commands: all fields.
        drained: of every tile [block, pixel, channel].
        starts, taken: of every command the cycles in which it is first presented and taken.
        freeing: of every tile.
        active: cycles with cause ACTIVE.
    """

    def __init__(self, config: CnnArrayConfig, commands: list[Fields], seed: int, gap: float) -> None:
        self.config = config
        self.commands: list[Fields] = [{**_PLAIN, **fields} for fields in commands]
        values = np.random.default_rng(seed)
        self._draw, self._gap = random.Random(seed), gap
        limit = 1 << config.element_bits - 1
        self._stored = f"<i{config.element_bytes}"
        self.bricks = values.integers(-limit, limit, (_BRICKS, config.columns))
        self.kernels = values.integers(-limit, limit, (config.weight_words, config.rows))
        self.tables = values.integers(-1000, 1000, (2, 256))
        self.drained: list[np.ndarray] = []
        self.starts: list[int] = []
        self.taken: list[int] = []
        self.freeing: list[int] = []
        self.active = 0
        self._running = 0
        self._loaded = False
        self._cycle = 0
        self._unit = ComputeUnit(config)

    def run(self) -> None:
        """Run them; what was seen is in the attributes."""
        simulate(self._unit, self._bricks, self._causes, testbenches=[self._commands, self._drains])

    async def _load(self, ctx: Any) -> None:
        beats = [
            (Destination.WEIGHT_STORE, self.kernels.astype(self._stored).tobytes()),
            (Destination.OPERAND_TABLE, self.tables.astype("<i4").tobytes()),
        ]
        ctx.set(self._unit.writes.valid, 1)
        for destination, content in beats:
            for address in range(len(content) // 8):
                ctx.set(self._unit.writes.payload.destination, destination)
                ctx.set(self._unit.writes.payload.address, address)
                data = int.from_bytes(content[8 * address : 8 * address + 8], "little")
                ctx.set(self._unit.writes.payload.data, data)
                await ctx.tick()
        ctx.set(self._unit.writes.valid, 0)
        await ctx.tick()
        self._loaded = True

    async def _commands(self, ctx: Any) -> None:
        await self._load(ctx)
        unit = self._unit
        for fields in self.commands:
            for entry in self.config.compute.all_fields:
                if entry.name in fields:
                    ctx.set(unit.command.payload[entry.name], int(fields[entry.name]))
            ctx.set(unit.command.valid, 1)
            self.starts.append(self._cycle)
            while not ctx.get(unit.command.ready):
                await ctx.tick()
            self.taken.append(self._cycle)
            await ctx.tick()
            ctx.set(unit.command.valid, 0)
            for _ in range(self._draw.choice([0, 1, 7])):
                await ctx.tick()

    async def _bricks(self, ctx: Any) -> None:
        """The unified buffer."""
        reads: deque[int | None] = deque([None] * (BRICK_READ_LATENCY - 1))
        while True:
            reads.append(ctx.get(self._unit.brick_address) if ctx.get(self._unit.brick_enable) else None)
            address = reads.popleft()
            await ctx.tick()
            if address is not None:
                word = self.bricks[address % _BRICKS].astype(self._stored).tobytes()
                ctx.set(self._unit.brick, int.from_bytes(word, "little"))

    async def _causes(self, ctx: Any) -> None:
        """Count cycles, and those in which the array works."""
        while True:
            self.active += ctx.get(self._unit.cause) == Cause.ACTIVE and self._loaded
            await ctx.tick()
            self._cycle += 1

    async def _drains(self, ctx: Any) -> None:
        """Drain every tile as ACTIVATE does: `freeing` comes as early as it may."""
        port = self._unit.accumulators
        for fields in self.commands:
            if fields["partial"]:
                continue
            for blocks, pixels in self.tiles(fields):
                count = len(blocks) * len(pixels)
                values = np.zeros((count, 8), np.int64)
                asked: deque[int | None] = deque([None] * ACCUMULATOR_READ_LATENCY)
                early = self._draw.choice([0, min(FREEING_CYCLES, len(pixels) - 1)])
                gap, place, is_free = self._gap, 0, False
                while place < count or any(entry is not None for entry in asked):
                    for control in (port.drained, port.freeing):
                        ctx.set(control, 0)
                    entry = None
                    if place < count and ctx.get(port.filled) and self._draw.random() >= gap:
                        core, pixel = divmod(place, len(pixels))
                        ctx.set(port.core, core)
                        ctx.set(port.address, pixel)
                        if not is_free and place >= count - 1 - early:
                            ctx.set(port.freeing, 1)
                            self.freeing.append(self._cycle)
                            is_free, gap = True, 0.0  # from now on without a pause
                        ctx.set(port.drained, place == count - 1)
                        entry = place
                        place += 1
                    asked.append(entry)
                    answered = asked.popleft()
                    if answered is not None:
                        values[answered] = [int(value) for value in ctx.get(port.values)]
                    if place == count and not any(entry is not None for entry in asked):
                        break
                    await ctx.tick()
                ctx.set(port.drained, 0)
                ctx.set(port.freeing, 0)
                self.drained.append(values.reshape(len(blocks), len(pixels), 8))

    @staticmethod
    def tiles(fields: Fields) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Blocks and pixels (y, x) of every tile, in order."""
        tiles = []
        step = 1 << fields["block_cores_log2"]
        for block in range(0, fields["output_blocks"], step):
            blocks = list(range(block, min(block + step, fields["output_blocks"])))
            for top in range(0, fields["height"], fields["tile_rows"]):
                for left in range(0, fields["width"], fields["tile_groups"]):
                    rows = range(top, min(top + fields["tile_rows"], fields["height"]))
                    columns = range(left, min(left + fields["tile_groups"], fields["width"]))
                    tiles.append((blocks, [(y, x) for y in rows for x in columns]))
        return tiles

    def brick(self, fields: Fields, prefix: str, y: int, x: int, brick: int) -> np.ndarray:
        """All channels of a pixel of an operand, or padding."""
        inside = 0 <= y < fields["ifm_height"] and 0 <= x < fields["ifm_width"]
        if prefix == "ifm_" and not inside:
            return np.full(self.config.columns, PAD << self.config.element_bits - 8)
        lines = y - fields["y_origin"] if prefix == "ifm_" else y  # the row under the ofm's first
        pitches = fields[f"{prefix}row_pitch"], fields[f"{prefix}channel_pitch"]
        return self.bricks[fields[f"{prefix}row"] + lines * pitches[0] + brick * pitches[1] + x]

    def window(self, fields: Fields, pixel: tuple[int, int], brick: int) -> list[np.ndarray]:
        """The bricks under the kernel, in the order of steps."""
        y, x = (
            pixel[0] * fields["stride_y"] + fields["y_origin"],
            pixel[1] * fields["stride_x"] + fields["x_origin"],
        )
        return [
            self.brick(
                fields, "ifm_", y + ky * fields["dilation_y"], x + kx * fields["dilation_x"], brick + channel
            )
            for ky in range(fields["kernel_height"])
            for kx in range(fields["kernel_width"])
            for channel in range(fields["channel_bricks"])
        ]

    def check_cycles(self) -> None:
        """Every command is taken in the predicted cycle."""
        halves = [-1, -1]
        tiles = 0
        for fields, start, taken in zip(self.commands, self.starts, self.taken, strict=True):
            timing = ComputeTiming(self.config, fields, start)
            filled = -1
            for _ in self.tiles(fields):
                known = [*halves, *self.freeing]
                filled = timing.fill(known[tiles] + 1).filled
                tiles += not fields["partial"]
            assert taken == filled


def convolution(config: CnnArrayConfig, seed: int) -> Fields:
    """A random DENSE command."""
    draw = random.Random(seed)
    width, height = draw.choice([1, draw.randint(2, 12)]), draw.randint(1, 4)
    kernel = draw.choice([(1, 1), (2, 3), (3, 1)])
    groups = draw.randint(1, width)
    return {
        "mode": Mode.DENSE,
        "block_cores_log2": config.cores.bit_length() - 1,
        "height": height,
        "width": width,
        "tile_rows": draw.randint(1, max(1, config.tile_pixels // groups)),
        "tile_groups": groups,
        "output_blocks": draw.randint(1, 2 * config.cores),
        "kernel_height": kernel[0],
        "kernel_width": kernel[1],
        "stride_y": draw.randint(1, 4),
        "stride_x": draw.randint(1, 4),
        "dilation_x": draw.randint(1, 2),
        "ifm_row": 17,
        "ifm_row_pitch": 40,
        "ifm_channel_pitch": 20,
        "ifm_height": draw.randint(3, 12),
        "ifm_width": draw.randint(4, 12),
        "y_origin": -draw.randint(0, 1),
        "x_origin": -draw.randint(0, 1),
        "channel_bricks": draw.randint(1, 2),
        "weight_address": config.columns * draw.randrange(config.weight_words // config.columns),
    }
