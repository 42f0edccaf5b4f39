"""Random legal computations: an ACTIVATE and the COMPUTEs whose tiles it drains, of every mode and shape."""

import random
from dataclasses import dataclass, replace

from celosia.generators.chassis.command import Opcode
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.placement import BUFFER, NO_RING_END, POINTER_MASK
from celosia.generators.chassis.schedule import Command, Span, ring_spans
from celosia.generators.chassis.tiles.commands import (
    BANKS,
    BIAS_BEATS,
    BRICK_CHANNELS,
    PARAMETER_BEATS,
    Mode,
)
from celosia.generators.chassis.tiles.tile_config import StoredWeightsConfig
from celosia.generators.cnn_array.config import CnnArrayConfig
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import LARGEST_PACKED_CHANNELS

__all__ = ["TABLE_SPANS", "BufferMap", "overlap", "random_computation", "random_map"]

TABLE_SPANS = {
    "operand": Span("operand table", 0, 1),
    "activation": Span("activation table", 0, 1),
    "exponential": Span("exponential table", 0, 1),
}
_MOST_READS = 3000
"""Of a COMPUTE, and a bound of its cycles, so that many lists run in little time."""
_LARGEST_MAP = 1500
"""Bricks; small against the buffer, so that most computations are independent of each other."""
_MOST_CHUNKED_TILES = 6
_ATTEMPTS = 20
_WITH_WEIGHTS = (Mode.DENSE, Mode.DEPTHWISE, Mode.PACKED)
_SHARED_PIXELS = (Mode.DENSE, Mode.PACKED)
_ELEMENTWISE = (Mode.ADD, Mode.MULTIPLY)


@dataclass(frozen=True)
class BufferMap:
    """Rows in the buffer, `pitch` bricks apart; `rows` of them are kept, in a ring if `is_ring`."""

    base: int
    rows: int
    pitch: int
    channel_pitch: int
    is_ring: bool

    def fields(self, prefix: str, y: int) -> dict[str, int]:
        """Of a command that starts with row y, which may be negative."""
        row = self.base + (y % self.rows if self.is_ring else y) * self.pitch
        return {
            f"{prefix}row": row & POINTER_MASK,
            f"{prefix}row_pitch": self.pitch,
            f"{prefix}channel_pitch": self.channel_pitch,
            f"{prefix}ring_end": self.base + self.rows * self.pitch if self.is_ring else NO_RING_END,
            f"{prefix}ring_size": self.rows * self.pitch if self.is_ring else 0,
        }

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(BUFFER, self.base, self.base + self.rows * self.pitch)


def random_map(
    config: EngineConfig,
    draw: random.Random,
    rows: int,
    width: int,
    bricks: int,
    smallest_ring: int = 1,
) -> BufferMap:
    """Room for a map anywhere in the buffer, or for a ring of fewer of its rows, with random gaps."""
    channel_pitch = width + draw.choice([0, 0, 1, 5])
    pitch = channel_pitch * bricks + draw.choice([0, 0, 1, 3])
    is_ring = smallest_ring <= rows and draw.random() < 0.4
    kept = draw.randint(smallest_ring, rows) if is_ring else rows
    return BufferMap(
        draw.randrange(config.buffer_bricks - kept * pitch + 1), kept, pitch, channel_pitch, is_ring
    )


@dataclass(frozen=True)
class _Tiles:
    """What COMPUTE and ACTIVATE agree on; the names are those of the commands' fields."""

    pixel_cores_log2: int
    block_cores_log2: int
    height: int
    width: int
    tile_rows: int
    tile_groups: int
    output_blocks: int

    @property
    def fields(self) -> dict[str, int]:
        """By name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def block_groups(self) -> int:
        """Blocks that follow each other on a core."""
        return -(-self.output_blocks >> self.block_cores_log2)

    def single(self) -> list["_Tiles"]:
        """Tile by tile, in the order of the loop nest."""
        blocks, columns = 1 << self.block_cores_log2, self.tile_groups << self.pixel_cores_log2
        return [
            replace(
                self,
                output_blocks=min(blocks, self.output_blocks - block),
                height=min(self.tile_rows, self.height - top),
                width=min(columns, self.width - left),
            )
            for block in range(0, self.output_blocks, blocks)
            for top in range(0, self.height, self.tile_rows)
            for left in range(0, self.width, columns)
        ]


@dataclass(frozen=True)
class _Abilities:
    """What the engines of a family can do that keep their weights in a store.

    Attributes:
        modes: of COMPUTE.
        pixel_cores: most cores that take neighbouring pixels.
        block_words: words of weights of a step, for each output block.
        group_words: besides, for all of a block group.
        aligned_words: a command's weights start at a multiple of so many.
        strides: to choose from.
    """

    modes: tuple[Mode, ...]
    pixel_cores: int
    block_words: int
    group_words: int
    aligned_words: int
    strides: tuple[int, ...]


def _abilities(config: StoredWeightsConfig) -> _Abilities:
    if isinstance(config, MacEngineConfig):
        return _Abilities(tuple(Mode), config.max_pixel_cores, config.block_words, 0, 1, (1, 1, 2, 3))
    if isinstance(config, CnnArrayConfig) and config.has_rounds:
        modes = Mode.DENSE, Mode.MAXIMUM, Mode.PACKED, Mode.ADD
        return _Abilities(modes, 1, 0, 0, 1, (1, 1, 2, 3, 4))
    lanes = config.brick_channels  # each a word
    elementwise = _ELEMENTWISE if config.element_bits == 8 else (Mode.ADD,)
    return _Abilities((Mode.DENSE, Mode.MAXIMUM, *elementwise), 1, 0, lanes, lanes, (1, 1, 2, 3, 4))


def random_computation(
    config: StoredWeightsConfig, draw: random.Random, job: int
) -> tuple[Command, list[Command]]:
    """ACTIVATE and its COMPUTEs, with `job` as their layer."""
    while True:
        kind = draw.choice(["whole", "whole", "parts", "chunks", *["softmax"] * config.has_softmax])
        try:
            return _Computation(config, draw, job).commands(kind)
        except _TooLargeError:
            continue


class _TooLargeError(Exception):
    """What was drawn would take too many cycles, or more memory than there is: draw again."""


@dataclass(frozen=True)
class _Computation:
    config: StoredWeightsConfig
    draw: random.Random
    job: int

    @property
    def abilities(self) -> _Abilities:
        """Of the family."""
        return _abilities(self.config)

    def commands(self, kind: str) -> tuple[Command, list[Command]]:
        """ACTIVATE; its COMPUTEs cover all of it, some of its blocks each, or a part of a tile's reduction each."""
        draw = self.draw
        if kind == "softmax":
            tiles = _Tiles(0, 0, 1, 1, 1, 1, draw.randint(1, 40))
            activate = self._activate(tiles, is_softmax=True)
            return activate, [self._compute(Mode.MAXIMUM, tiles, activate)]
        mode = draw.choice(
            [mode for mode in self.abilities.modes if kind != "chunks" or mode in _WITH_WEIGHTS]
        )
        tiles = self._tiles(mode, draw.randint(1, 3 if kind == "chunks" else 12))
        activate = self._activate(tiles, is_softmax=False)
        if kind == "parts":
            blocks = draw.randint(1, tiles.block_groups) << tiles.block_cores_log2
            parts = [
                replace(tiles, output_blocks=min(blocks, tiles.output_blocks - first))
                for first in range(0, tiles.output_blocks, blocks)
            ]
            return activate, [self._compute(mode, part, activate) for part in parts]
        if kind == "chunks":
            computes: list[Command] = []
            if len(tiles.single()) > _MOST_CHUNKED_TILES:
                raise _TooLargeError
            for tile in tiles.single():
                chunks = draw.randint(1, 3)
                for chunk in range(chunks):
                    place = {"accumulate": int(chunk > 0), "partial": int(chunk < chunks - 1)}
                    computes.append(self._compute(mode, tile, activate, place))
            return activate, computes
        return activate, [self._compute(mode, tiles, activate)]

    def _tiles(self, mode: Mode, blocks: int) -> _Tiles:
        draw, config = self.draw, self.config
        pixel_cores = block_cores = 0
        if mode not in _ELEMENTWISE:
            pixel_cores = draw.randrange(self.abilities.pixel_cores.bit_length())
        if mode in _SHARED_PIXELS:
            block_cores = draw.randrange((config.cores >> pixel_cores).bit_length())
        tile_rows = draw.choice([1, 1, 2, 3, 4, 8, 16])
        height, width = draw.randint(1, 8), draw.choice([draw.randint(1, 6), draw.randint(1, 30)])
        return _Tiles(
            pixel_cores,
            block_cores,
            height,
            width,
            tile_rows,
            draw.randint(1, config.tile_pixels // tile_rows),
            blocks,
        )

    def _activate(self, tiles: _Tiles, *, is_softmax: bool) -> Command:
        draw, config = self.draw, self.config
        bricks = -(-tiles.output_blocks // config.blocks_per_brick)
        parameter_blocks = -(-tiles.output_blocks * config.core_outputs // BRICK_CHANNELS)
        ofm = random_map(config, draw, tiles.height, tiles.width, bricks)
        is_uniform = draw.random() < 0.3
        has_uniform_scale = draw.random() < 0.3
        parameters = draw.randrange(config.parameter_beats)
        beats = PARAMETER_BEATS
        if not is_uniform:
            beats += (parameter_blocks - 1) * (BIAS_BEATS if has_uniform_scale else PARAMETER_BEATS)
        use_table = not is_softmax and draw.random() < 0.3
        softmax_lanes = 0
        if is_softmax:
            softmax_lanes = draw.randint(
                1, (tiles.output_blocks * config.core_outputs - 1) % BRICK_CHANNELS + 1
            )
        reads = ring_spans("parameter store", parameters, beats, config.parameter_beats)
        reads += (TABLE_SPANS["activation"],) if use_table else ()
        reads += (TABLE_SPANS["exponential"],) if is_softmax else ()
        fields = {
            **tiles.fields,
            **ofm.fields("ofm_", draw.randrange(ofm.rows) if ofm.is_ring else 0),
            "parameter_address": parameters,
            "parameter_uniform": int(is_uniform),
            "uniform_scale": int(has_uniform_scale),
            "zero_point": 0 if is_softmax else draw.randint(-128, 127),
            "minimum": draw.randint(-128, 0),
            "maximum": draw.randint(0, 127),
            "use_table": int(use_table),
            "softmax_lanes": softmax_lanes,
            "snapshot": draw.randrange(2),
        }
        return Command(Opcode.ACTIVATE, fields, reads, (ofm.span,), self.job)

    def _compute(
        self, mode: Mode, tiles: _Tiles, activate: Command, place: dict[str, int] | None = None
    ) -> Command:
        """One that is small enough, and reads nothing that `activate` writes."""
        (ofm,) = activate.writes
        for _ in range(_ATTEMPTS):
            command = self._any_compute(mode, tiles, place or {})
            if command is not None and not any(overlap(ofm, span) for span in command.reads):
                return command
        raise _TooLargeError

    def _any_compute(self, mode: Mode, tiles: _Tiles, place: dict[str, int]) -> Command | None:
        """None if it is too large."""
        draw, config = self.draw, self.config
        kernel = self._kernel(mode, tiles)
        if kernel is None:
            return None
        per_brick, channel_bricks = config.blocks_per_brick, 1
        if mode in _SHARED_PIXELS:
            per_brick = 0
            if mode is Mode.DENSE and draw.random() < 0.2:  # grouped
                per_brick = draw.randint(1, 3) << tiles.block_cores_log2
            elif mode is Mode.DENSE:
                channel_bricks = draw.choice([1, 1, 2, 5, draw.randint(1, 40)])
        steps = kernel["kernel_height"] * -(-kernel["kernel_width"] // kernel["taps"]) * channel_bricks
        reads_a_step = tiles.height * -(-tiles.width >> tiles.pixel_cores_log2)
        abilities = self.abilities
        step_words = (abilities.block_words << tiles.block_cores_log2) + abilities.group_words
        rounds = self._rounds(tiles)
        if rounds:
            step_words = rounds["round_last"] + 1
            reads_a_step = -(-reads_a_step // step_words) * step_words  # at least so many cycles
        words = steps * tiles.block_groups * step_words
        if reads_a_step * steps * tiles.block_groups > _MOST_READS or words > config.weight_words:
            return None
        ifm_bricks = -(-tiles.output_blocks // per_brick) if per_brick else channel_bricks
        located = self._ifm(mode, kernel, tiles, ifm_bricks)
        if located is None:
            return None
        fields, reads = located
        kernel = {name: value for name, value in kernel.items() if name in config.compute.names}
        fields |= {**place, **kernel, **rounds, "mode": mode, **tiles.fields}
        fields |= {"channel_bricks": channel_bricks, "blocks_per_brick": per_brick}
        if mode in _WITH_WEIGHTS:
            unit = abilities.aligned_words
            fields["weight_address"] = unit * draw.randrange(config.weight_words // unit)
            reads += ring_spans("weight store", fields["weight_address"], words, config.weight_words)
        return Command(Opcode.COMPUTE, fields, reads, (), self.job)

    def _rounds(self, tiles: _Tiles) -> dict[str, int]:
        """How long the rounds of a large array's COMPUTE are; nothing for other engines."""
        config = self.config
        if not isinstance(config, CnnArrayConfig) or not config.has_rounds:
            return {}
        turns = config.turns if 1 << tiles.block_cores_log2 > config.cores // config.turns else 1
        lanes = self.draw.randint(-(-config.pixel_units // turns), config.brick_channels)
        return {"round_last": turns * lanes - 1, "two_turns": turns - 1}

    def _kernel(self, mode: Mode, tiles: _Tiles) -> dict[str, int] | None:
        """Kernel, strides, taps and window; None if a read cannot cover what they need."""
        draw = self.draw
        if mode in _ELEMENTWISE or tiles.block_groups > 12:
            kernel = dict.fromkeys(("kernel_height", "kernel_width", "stride_y", "stride_x"), 1)
            return {**kernel, "dilation_y": 1, "dilation_x": 1, "taps": 1, "window": 1, "packed_channels": 0}
        width = draw.choice([1, 1, 2, 3, 3, 4, 9])
        stride, dilation = draw.choice(self.abilities.strides), draw.choice([1, 1, 2])
        packed = draw.randint(1, LARGEST_PACKED_CHANNELS) if mode is Mode.PACKED else 0
        lanes = {Mode.DEPTHWISE: BRICK_CHANNELS, Mode.PACKED: BRICK_CHANNELS // max(packed, 1)}.get(mode, 1)
        if isinstance(self.config, CnnArrayConfig) and mode is Mode.PACKED:
            packed = 4 * draw.randint(1, self.config.neighbour_channels // 4)
            lanes, dilation = min(self.config.taps, self.config.brick_channels // packed), 1
        taps = draw.randint(1, min(lanes, width))
        window = ((1 << tiles.pixel_cores_log2) - 1) * stride + (taps - 1) * dilation + 1
        if window > BANKS:
            return None
        return {
            "kernel_height": draw.choice([1, 1, 2, 3, 5]),
            "kernel_width": width,
            "stride_y": draw.choice(self.abilities.strides),
            "stride_x": stride,
            "dilation_y": draw.choice([1, 1, 2]),
            "dilation_x": dilation,
            "taps": taps,
            "packed_channels": packed,
            "window": window,
        }

    def _ifm(
        self, mode: Mode, kernel: dict[str, int], tiles: _Tiles, bricks: int
    ) -> tuple[dict[str, int], tuple[Span, ...]] | None:
        """The feature maps that COMPUTE reads; None if they are too large."""
        draw, config = self.draw, self.config
        span_y = (kernel["kernel_height"] - 1) * kernel["dilation_y"] + 1
        span_x = (kernel["kernel_width"] - 1) * kernel["dilation_x"] + 1
        top, left = draw.randrange(span_y), draw.randrange(span_x)
        height = max(1, (tiles.height - 1) * kernel["stride_y"] + span_y - top - draw.randrange(span_y))
        width = max(1, (tiles.width - 1) * kernel["stride_x"] + span_x - left - draw.randrange(span_x))
        if height * width * bricks > _LARGEST_MAP:
            return None
        longest_step = max(kernel["stride_y"] * min(tiles.tile_rows, tiles.height), kernel["dilation_y"])
        ifm = random_map(config, draw, height, width, bricks, longest_step)
        fields = {
            **ifm.fields("ifm_", -top),
            "ifm_height": height,
            "ifm_width": width,
            "y_origin": -top,
            "x_origin": -left,
            "pad_value": draw.randint(-128, 127),
        }
        if mode not in _ELEMENTWISE:
            return fields, (ifm.span,)
        has_one_row, has_one_pixel, has_one_channel = (draw.random() < 0.2 for _ in range(3))
        second = random_map(
            config,
            draw,
            1 if has_one_row else tiles.height,
            1 if has_one_pixel else tiles.width,
            1 if has_one_channel else bricks,
            1 if has_one_row else min(tiles.tile_rows, tiles.height),
        )
        fields |= second.fields("ifm2_", 0)
        fields |= (
            {"ifm2_row_pitch": 0, "ifm2_ring_end": NO_RING_END, "ifm2_ring_size": 0} if has_one_row else {}
        )
        fields |= {"ifm2_channel_pitch": 0} if has_one_channel else {}
        fields |= {
            "ifm2_broadcast_x": int(has_one_pixel),
            "ifm2_broadcast_channels": int(has_one_channel),
        }
        return fields, (ifm.span, second.span, TABLE_SPANS["operand"])


def overlap(a: Span, b: Span) -> bool:
    """Whether two spans have an address in common."""
    return a.memory == b.memory and a.low < b.high and b.low < a.high
