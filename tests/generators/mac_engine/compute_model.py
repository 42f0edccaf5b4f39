"""A direct model of COMPUTE, and random legal commands for it: loops as docs/architecture.md writes them down."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import BRICK_CHANNELS, COMPUTE, TILE_PIXELS, Mode

Fields = dict[str, int]
Tile = dict[tuple[int, int], list[int]]
"""(core, accumulator address) -> int32 of each output channel."""


@dataclass(frozen=True)
class Memories:
    """What COMPUTE reads: bricks int8[bricks, 8], weight store int8[bytes], operand tables int32[2, 256]."""

    bricks: npt.NDArray[np.int8]
    weights: npt.NDArray[np.int8]
    tables: npt.NDArray[np.int32]

    @classmethod
    def random(
        cls, config: MacEngineConfig, generator: random.Random, commands: Sequence[Fields]
    ) -> "Memories":
        """Any bytes, but no weights on lanes that a step has no tap for; entries that MULTIPLY takes too."""
        values = np.random.default_rng(generator.getrandbits(32))
        weights = values.integers(-128, 128, config.weight_words * 16, np.int8)
        lanes = [fields["taps"] for fields in commands if fields["mode"] == Mode.DEPTHWISE]
        lanes += [
            fields["taps"] * fields["packed_channels"] for fields in commands if fields["mode"] == Mode.PACKED
        ]
        for lane in range(min(lanes, default=BRICK_CHANNELS), BRICK_CHANNELS):
            weights[lane::BRICK_CHANNELS] = 0
        return cls(
            values.integers(-128, 128, (config.buffer_bricks, BRICK_CHANNELS), np.int8),
            weights,
            values.integers(-256, 256, (2, 256), np.int32),
        )


def row_pointer(fields: Fields, prefix: str, *steps: int) -> int:
    """The pointer after advancing by each of `steps` rows."""
    pointer = fields[f"{prefix}row"]
    for rows in steps:
        pointer += rows * fields[f"{prefix}row_pitch"]
        if pointer >= fields[f"{prefix}ring_end"]:
            pointer -= fields[f"{prefix}ring_size"]
        pointer %= 1 << 16
    return pointer


def wrap(value: int) -> int:
    """Two's complement of 32 bits."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


class Model:
    """One command; `tiles()` are its tiles in order."""

    def __init__(self, config: MacEngineConfig, memories: Memories, fields: Fields) -> None:
        self.config = config
        self.memories = memories
        self.fields = fields
        self.mode = Mode(fields["mode"])
        self.pixels = 1 << fields["pixel_cores_log2"]
        self.blocks = 1 << fields["block_cores_log2"]

    def brick(self, channel_brick: int, oy: int, ky: int, x: int) -> list[int]:
        """Ifm at kernel row `ky` of ofm row `oy`."""
        fields = self.fields
        y = fields["y_origin"] + oy * fields["stride_y"] + ky * fields["dilation_y"]
        if not (0 <= y < fields["ifm_height"] and 0 <= x < fields["ifm_width"]):
            return [fields["pad_value"]] * BRICK_CHANNELS
        row = row_pointer(fields, "ifm_", *[fields["stride_y"]] * oy, *[fields["dilation_y"]] * ky)
        return self.at(row + channel_brick * fields["ifm_channel_pitch"] + x)

    def at(self, address: int) -> list[int]:
        return self.memories.bricks[address % (1 << 16)].tolist()

    def operand2(self, channel_brick: int, oy: int, x: int) -> list[int]:
        fields = self.fields
        row = row_pointer(fields, "ifm2_", *[1] * oy)
        x = 0 if fields["ifm2_broadcast_x"] else x
        brick = self.at(row + channel_brick * fields["ifm2_channel_pitch"] + x)
        return brick[:1] * BRICK_CHANNELS if fields["ifm2_broadcast_channels"] else brick

    def weight(self, group: int, step: int, core_block: int, output: int, lane: int) -> int:
        block_bytes = self.config.core_outputs * BRICK_CHANNELS
        index = ((group * self.steps + step) * self.blocks + core_block) * block_bytes
        index += self.fields["weight_address"] * 16 + output * BRICK_CHANNELS + lane
        return int(self.memories.weights[index % len(self.memories.weights)])

    @property
    def column_steps(self) -> range:
        return range(0, self.fields["kernel_width"], self.fields["taps"])

    @property
    def steps(self) -> int:
        return self.fields["kernel_height"] * len(self.column_steps) * self.fields["channel_bricks"]

    def value(self, block: int, oy: int, ox: int, output: int) -> int:
        """One output channel of one pixel."""
        fields = self.fields
        group, core_block = divmod(block, self.blocks)
        base = block // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
        channel = output + self.config.core_outputs * (block % (BRICK_CHANNELS // self.config.core_outputs))
        left = fields["x_origin"] + ox * fields["stride_x"]
        if self.mode in (Mode.ADD, Mode.MULTIPLY):
            a = int(self.memories.tables[0][self.brick(base, oy, 0, left)[channel] + 128])
            b = int(self.memories.tables[1][self.operand2(base, oy, ox)[channel] + 128])
            return wrap(a + b if self.mode is Mode.ADD else a * b)
        terms = []
        step = 0
        for ky in range(fields["kernel_height"]):
            for kx in self.column_steps:
                x = left + kx * fields["dilation_x"]
                for brick in range(fields["channel_bricks"]):
                    if self.mode is Mode.DENSE:
                        lanes = self.brick(base + brick, oy, ky, x)
                    elif self.mode is Mode.DEPTHWISE:
                        lanes = [
                            self.brick(base, oy, ky, x + tap * fields["dilation_x"])[channel]
                            for tap in range(fields["taps"])
                        ]
                    elif self.mode is Mode.PACKED:
                        lanes = [
                            value
                            for tap in range(fields["taps"])
                            for value in self.brick(base, oy, ky, x + tap * fields["dilation_x"])[
                                : fields["packed_channels"]
                            ]
                        ]
                    else:
                        lanes = [self.brick(base, oy, ky, x)[channel]]
                    terms.append(
                        lanes[0]
                        if self.mode is Mode.MAXIMUM
                        else sum(
                            value * self.weight(group, step, core_block, output, lane)
                            for lane, value in enumerate(lanes)
                        )
                    )
                    step += 1
        return max(terms) if self.mode is Mode.MAXIMUM else wrap(sum(terms))

    def tiles(self) -> Iterator[Tile]:
        fields = self.fields
        outputs = range(self.config.core_outputs)
        for block in range(0, fields["output_blocks"], self.blocks):
            for top in range(0, fields["height"], fields["tile_rows"]):
                for left in range(0, fields["width"], fields["tile_groups"] * self.pixels):
                    rows = min(fields["tile_rows"], fields["height"] - top)
                    groups = min(fields["tile_groups"], -(-(fields["width"] - left) // self.pixels))
                    yield {
                        (q * self.pixels + p, row * groups + group): [
                            self.value(block + q, top + row, x, output) for output in outputs
                        ]
                        for q in range(min(self.blocks, fields["output_blocks"] - block))
                        for row in range(rows)
                        for group in range(groups)
                        for p in range(self.pixels)
                        if (x := left + group * self.pixels + p) < fields["width"]
                    }


def random_command(config: MacEngineConfig, generator: random.Random, mode: Mode, **choices: int) -> Fields:
    """A legal command over random memories; `choices` overrule what is drawn at first, such as extents."""
    draw = generator.randint
    fields = {entry.name: 0 for entry in COMPUTE.fields}
    fields |= {"mode": mode, "channel_bricks": 1, "kernel_height": 1, "kernel_width": 1, "taps": 1}
    fields |= {"stride_y": 1, "stride_x": 1, "dilation_y": 1, "dilation_x": 1, "window": 1}
    elementwise = mode in (Mode.ADD, Mode.MULTIPLY)
    _split_cores(fields, config, generator, mode)
    fields |= {"height": draw(1, 5), "width": draw(1, 12), "output_blocks": draw(1, 3)}
    fields |= {"ifm_height": draw(1, 6), "ifm_width": draw(1, 12)}
    fields |= choices
    if elementwise:
        fields |= {"ifm_height": fields["height"], "ifm_width": fields["width"]}
    else:
        fields |= {"kernel_height": draw(1, 3), "kernel_width": draw(1, 4), "pad_value": draw(-128, 127)}
        fields |= {"stride_y": draw(1, 3), "dilation_y": draw(1, 2), "dilation_x": draw(1, 2)}
        fields |= {"y_origin": -draw(0, 2), "x_origin": -draw(0, 3)}
        fields["stride_x"] = draw(1, min(3, 7 // max(1, (1 << fields["pixel_cores_log2"]) - 1)))
        fields |= choices
    reach = ((1 << fields["pixel_cores_log2"]) - 1) * fields["stride_x"]
    if mode in (Mode.DEPTHWISE, Mode.PACKED):
        fields["packed_channels"] = draw(1, 4) if mode is Mode.PACKED else 0
        lanes = BRICK_CHANNELS // max(1, fields["packed_channels"])
        fields["taps"] = draw(1, min(lanes, (7 - reach) // fields["dilation_x"] + 1))
        reach += (fields["taps"] - 1) * fields["dilation_x"]
    fields["window"] = reach + 1
    tile_groups = draw(1, min(TILE_PIXELS, fields["width"]))
    fields |= {"tile_groups": tile_groups, "tile_rows": draw(1, TILE_PIXELS // tile_groups)}
    fields |= {name: value for name, value in choices.items() if name.startswith("tile_")}
    bricks = 1
    if mode is Mode.DENSE and generator.random() < 0.7:
        bricks = fields["channel_bricks"] = choices.get("channel_bricks", draw(1, 3))
    elif mode is not Mode.PACKED:
        fields["blocks_per_brick"] = max(8 // config.core_outputs, 1 << fields["block_cores_log2"])
        bricks = -(-fields["output_blocks"] // fields["blocks_per_brick"])
    _place(fields, "ifm_", fields["ifm_height"], fields["ifm_width"], bricks, config, generator)
    if elementwise:
        fields["ifm2_broadcast_x"] = draw(0, 1)
        fields["ifm2_broadcast_channels"] = draw(0, 1)
        width = 1 if fields["ifm2_broadcast_x"] else fields["width"]
        _place(fields, "ifm2_", fields["height"], width, bricks, config, generator)
        if generator.random() < 0.3:  # one row serves all
            fields["ifm2_row_pitch"] = 0
    fields["weight_address"] = draw(0, config.weight_words - 1)
    return fields


def _split_cores(fields: Fields, config: MacEngineConfig, generator: random.Random, mode: Mode) -> None:
    if mode in (Mode.ADD, Mode.MULTIPLY):
        return
    cores_log2 = config.cores.bit_length() - 1
    fields["pixel_cores_log2"] = generator.randint(0, min(3, cores_log2))
    if mode in (Mode.DENSE, Mode.PACKED):
        fields["block_cores_log2"] = generator.randint(0, cores_log2 - fields["pixel_cores_log2"])


def _place(
    fields: Fields,
    prefix: str,
    height: int,
    width: int,
    bricks: int,
    config: MacEngineConfig,
    generator: random.Random,
) -> None:
    """Put a map somewhere into the buffer: as a ring of rows if its steps allow that, else in line."""
    origin = fields["y_origin"]
    channel_pitch = width + generator.randint(0, 2)
    pitch = bricks * channel_pitch
    rows = height + generator.randint(0, 2)
    start = generator.randrange(config.buffer_bricks - rows * pitch)
    fields[f"{prefix}channel_pitch"] = channel_pitch
    fields[f"{prefix}row_pitch"] = pitch
    longest_step = max(fields["stride_y"], fields["dilation_y"], fields["stride_y"] * fields["tile_rows"])
    if longest_step <= rows and generator.random() < 0.5:
        shift = generator.randrange(rows)
        fields[f"{prefix}row"] = start + (origin + shift) % rows * pitch
        fields[f"{prefix}ring_end"] = start + rows * pitch
        fields[f"{prefix}ring_size"] = rows * pitch
    else:
        fields[f"{prefix}row"] = (start + origin * pitch) % (1 << 16)
        fields[f"{prefix}ring_end"] = 0x1FFFF
