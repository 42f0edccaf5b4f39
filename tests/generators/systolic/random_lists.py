"""Random legal command lists of a systolic engine, not made by the compiler: what is loaded is computed and stored.

A job is a LOAD, the parameters, an ACTIVATE with the COMPUTEs whose tiles it drains, their weights, and a STORE. Jobs
share nothing but the engine, so that they overlap as far as its queues and memories let them.
"""

import random
from dataclasses import dataclass, field

import numpy as np

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.layer import Requantization
from celosia.generators.chassis.placement import MEMORY_SPAN_BYTES
from celosia.generators.chassis.schedule import Command, Span, encode_commands, ring_spans
from celosia.generators.chassis.tiles.command_fields import tile_count
from celosia.generators.chassis.tiles.commands import Destination, Mode
from celosia.generators.chassis.tiles.parameter_content import parameter_content
from celosia.generators.chassis.tiles.planes import passes_of, places_of
from celosia.generators.chassis.wide_scaling import RAW_BYTES, WideScaling
from celosia.generators.systolic.config import SystolicConfig
from celosia.generators.systolic.isa import LAYOUTS
from tests.random_computation import BufferMap, random_map

__all__ = ["OUTPUT_BYTES", "RandomList", "random_list"]

OUTPUT_BYTES = 1 << 16
"""Of region OUTPUT."""


@dataclass(frozen=True)
class RandomList:
    """What lies in region PROGRAM: `constants`, then the commands in `words`."""

    constants: bytes
    words: bytes

    @property
    def commands(self) -> int:
        """Of the list, BEGIN and HALT included."""
        return len(self.words) // COMMAND_BYTES


def random_list(config: SystolicConfig, seed: int) -> RandomList:
    """The list of `seed`, of up to six jobs."""
    writer = _Writer(config, random.Random(seed), np.random.default_rng(seed))
    for job in range(writer.draw.randint(1, 6)):
        writer.add(job)
    constants = bytes(writer.constants) + bytes(-len(writer.constants) % COMMAND_BYTES)
    return RandomList(constants, encode_commands(writer.commands, LAYOUTS, config.hash))


@dataclass
class _Writer:
    config: SystolicConfig
    draw: random.Random
    values: np.random.Generator
    constants: bytearray = field(default_factory=bytearray)
    commands: list[Command] = field(default_factory=list)
    stored: int = 0
    parameters: int = 0

    def add(self, job: int) -> None:
        """One job."""
        draw, config = self.draw, self.config
        mode = Mode.MAXIMUM if draw.random() < 0.2 else Mode.DENSE
        is_split = config.int16 and mode is Mode.DENSE
        operands = {name: draw.randint(0, 1) if is_split else 0 for name in ("ifm_int16", "weights_int16")}
        places = places_of(operands)
        is_wide = places > 1 or (config.int16 and draw.random() < 0.3)
        ofm_bytes = draw.choice([1, 2, 2, RAW_BYTES]) if is_wide else 0
        tiles = self._tiles(mode, places)
        chunks = draw.randint(2, 3) if tile_count(tiles) == 1 and mode is Mode.DENSE else 1
        window = self._window()
        ifm, computes = self._computes(job, mode, tiles, window, operands, chunks)
        ofm = self._apart(ifm, tiles["height"], tiles["width"], self._bricks(tiles) * max(1, ofm_bytes))
        self._activate(job, tiles, ofm, places if is_wide else 0, ofm_bytes)
        for compute in computes:
            self.commands.append(compute)
            self._stream_weights(job, dict(compute.fields))
        self._store(job, tiles, ofm, max(1, ofm_bytes))

    def _bricks(self, tiles: dict[str, int]) -> int:
        return -(-tiles["output_blocks"] // self.config.brick_pieces)

    def _tiles(self, mode: Mode, places: int) -> dict[str, int]:
        """What COMPUTE and ACTIVATE agree on, of whole bricks."""
        draw, config = self.draw, self.config
        block_cores = draw.randint(0, config.cores.bit_length() - 1) if mode is Mode.DENSE else 0
        rows = draw.choice([1, 1, 2, 3])
        return {
            "pixel_cores_log2": 0,
            "block_cores_log2": block_cores,
            "height": draw.randint(1, 5),
            "width": draw.randint(1, 9),
            "tile_rows": rows,
            "tile_groups": draw.randint(1, config.accumulators // (rows * places)),
            "output_blocks": config.brick_pieces * draw.randint(1, 3),
        }

    def _window(self) -> dict[str, int]:
        draw = self.draw
        return {
            "kernel_height": draw.choice([1, 1, 2, 3]),
            "kernel_width": draw.choice([1, 1, 2, 3]),
            "stride_y": draw.randint(1, 2),
            "stride_x": draw.randint(1, 3),
            "dilation_y": draw.randint(1, 2),
            "dilation_x": draw.randint(1, 2),
            "taps": 1,
            "window": 1,
            "packed_channels": 0,
        }

    def _computes(
        self,
        job: int,
        mode: Mode,
        tiles: dict[str, int],
        window: dict[str, int],
        operands: dict[str, int],
        chunks: int,
    ) -> tuple[BufferMap, list[Command]]:
        """A LOAD of the ifm, and COMPUTEs of all tiles or of parts of one tile's reduction each."""
        draw, config = self.draw, self.config
        planes = 1 + operands["ifm_int16"]
        bricks = draw.randint(1, 3) if mode is Mode.DENSE else self._bricks(tiles)
        span_y = (window["kernel_height"] - 1) * window["dilation_y"] + 1
        span_x = (window["kernel_width"] - 1) * window["dilation_x"] + 1
        top, left = draw.randrange(span_y), draw.randrange(span_x)
        height = max(1, (tiles["height"] - 1) * window["stride_y"] + span_y - top - draw.randrange(span_y))
        width = max(1, (tiles["width"] - 1) * window["stride_x"] + span_x - left - draw.randrange(span_x))
        longest_step = max(
            window["stride_y"] * min(tiles["tile_rows"], tiles["height"]), window["dilation_y"]
        )
        ifm = random_map(config, draw, height, width, bricks * planes, max(height, longest_step))
        content = self.values.integers(0, 256, height * width * bricks * planes * config.rows, np.uint8)
        self._load(job, ifm, (height, width, bricks * planes * config.rows), content.tobytes())
        fields = {
            "mode": mode,
            **tiles,
            **window,
            **operands,
            **ifm.fields("ifm_", -top),
            "ifm_channel_pitch": planes * ifm.channel_pitch,
            "ifm_plane_pitch": ifm.channel_pitch if planes > 1 else 0,
            "ifm_height": height,
            "ifm_width": width,
            "y_origin": -top,
            "x_origin": -left,
            "pad_value": draw.randint(-128, 127),
            "channel_bricks": bricks if mode is Mode.DENSE else 1,
            "blocks_per_brick": 0 if mode is Mode.DENSE else config.brick_pieces,
            "rows_used": config.rows,
            "columns_used": 8,
        }
        parts = [
            {**fields, "accumulate": int(chunk > 0), "partial": int(chunk < chunks - 1)}
            for chunk in range(chunks)
        ]
        return ifm, [Command(Opcode.COMPUTE, part, reads=(ifm.span,), layer=job) for part in parts]

    def _apart(self, ifm: BufferMap, height: int, width: int, bricks: int) -> BufferMap:
        while True:
            ofm = random_map(self.config, self.draw, height, width, bricks, height)
            if ofm.span.high <= ifm.span.low or ifm.span.high <= ofm.span.low:
                return ofm

    def _load(self, job: int, ifm: BufferMap, shape: tuple[int, int, int], content: bytes) -> None:
        rows, width, channels = shape
        fields = {"rows": rows, "width": width, "channels": channels, **ifm.fields("", 0)}
        fields |= {"region": Region.PROGRAM, "offset": self._constant(content)}
        self.commands.append(Command(Opcode.LOAD, fields, writes=(ifm.span,), layer=job))

    def _store(self, job: int, tiles: dict[str, int], ofm: BufferMap, planes: int) -> None:
        channels = self._bricks(tiles) * planes * self.config.rows
        size = tiles["height"] * tiles["width"] * channels
        low = self.stored
        self.stored += -(-size // MEMORY_SPAN_BYTES) * MEMORY_SPAN_BYTES
        assert self.stored <= OUTPUT_BYTES
        fields = {"rows": tiles["height"], "width": tiles["width"], "channels": channels}
        fields |= {"region": Region.OUTPUT, "offset": low, **ofm.fields("", 0)}
        memory = Span(Region.OUTPUT.name, low // MEMORY_SPAN_BYTES, self.stored // MEMORY_SPAN_BYTES)
        self.commands.append(Command(Opcode.STORE, fields, reads=(ofm.span,), writes=(memory,), layer=job))

    def _activate(self, job: int, tiles: dict[str, int], ofm: BufferMap, places: int, ofm_bytes: int) -> None:
        draw, values, config = self.draw, self.values, self.config
        channels, is_uniform = 8 * tiles["output_blocks"], draw.random() < 0.3
        multiplier = values.integers(1 << 30, 1 << 31, channels).astype(np.int32)
        bias = values.integers(-(1 << 12), 1 << 12, channels)
        shift = values.integers(-10, -5, channels).astype(np.int8)
        if is_uniform:
            multiplier[:], shift[:], bias[:] = multiplier[0], shift[0], bias[0]
        stage: Requantization | WideScaling = Requantization(bias.astype(np.int32), multiplier, shift)
        if ofm_bytes == RAW_BYTES:
            stage = WideScaling.raw(bias)
        elif ofm_bytes:
            lower = (8 * (places - 1) - 8 * (ofm_bytes - 1)) * np.ones(channels, np.int8)
            stage = WideScaling(bias << 16, multiplier, (shift - lower).astype(np.int8), ofm_bytes=ofm_bytes)
        content = parameter_content(stage)
        address = self.parameters
        self.parameters = (address + len(content) // 8) % config.parameter_beats
        spans = ring_spans("parameters", address, len(content) // 8, config.parameter_beats)
        self._weights(job, _a_beat_each(content, config), Destination.PARAMETER_STORE, address, 0, spans)
        largest = 1 << 8 * max(1, ofm_bytes) - 1 if ofm_bytes < RAW_BYTES else 1
        planes = max(1, ofm_bytes)
        fields = {
            **tiles,
            **ofm.fields("ofm_", 0),
            "ofm_channel_pitch": planes * ofm.channel_pitch,
            "ofm_plane_pitch": ofm.channel_pitch if planes > 1 else 0,
            "parameter_address": address,
            "parameter_uniform": int(stage.is_uniform),
            "uniform_scale": int(stage.has_uniform_scale),
            "zero_point": 0 if ofm_bytes else draw.randint(-128, 127),
            "minimum": -draw.randint(largest // 2, largest),
            "maximum": draw.randint(largest // 2, largest) - 1,
            "places": places,
            "ofm_bytes": ofm_bytes,
            "snapshot": draw.randint(0, 1),
        }
        command = Command(Opcode.ACTIVATE, fields, reads=spans, writes=(ofm.span,), layer=job)
        self.commands.append(command)

    def _stream_weights(self, job: int, fields: dict[str, int]) -> None:
        """The tiles that a COMPUTE takes, in one WEIGHTS or several."""
        if fields["mode"] != Mode.DENSE:
            return
        config = self.config
        steps = fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"]
        rows = tile_count(fields) * steps * len(passes_of(fields)) * config.rows
        while rows:
            part = rows if self.draw.random() < 0.6 else self.draw.randint(1, rows)
            content = self.values.integers(0, 256, part * config.columns, np.uint8).tobytes()
            self._weights(job, content, Destination.WEIGHT_STORE, 0, part, ())
            rows -= part

    def _weights(
        self,
        job: int,
        content: bytes,
        destination: Destination,
        address: int,
        words: int,
        spans: tuple[Span, ...],
    ) -> None:
        beat_bytes = self.config.weight_bits // 8
        fields = {"region": Region.PROGRAM, "offset": self._constant(content), "words": words}
        fields |= {"beats": len(content) // beat_bytes, "destination": destination, "address": address}
        self.commands.append(Command(Opcode.WEIGHTS, fields, writes=spans, layer=job))

    def _constant(self, content: bytes) -> int:
        self.constants += bytes(-len(self.constants) % MEMORY_SPAN_BYTES)
        offset = len(self.constants)
        self.constants += content
        return offset


def _a_beat_each(content: bytes, config: SystolicConfig) -> bytes:
    """Of a beat of the weights' port the parameter store takes eight bytes."""
    beat = config.weight_bits // 8
    return b"".join(content[low : low + 8].ljust(beat, b"\0") for low in range(0, len(content), 8))
