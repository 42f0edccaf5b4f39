"""The part of a command interpreter that families share whose COMPUTE fills accumulator tiles.

COMPUTE and ACTIVATE must be in step; what fills a tile from weights is the family's.
"""

from abc import abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ....hdl.arithmetic_model import (
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
)
from ..command import CommandLayout, Opcode, Region, Verb
from ..interpreter import ChassisInterpreter, Fields, IllegalCommand
from ..placement import POINTER_MASK
from .command_fields import PAD_BITS, tile_count
from .commands import BIAS_BEATS, BRICK_CHANNELS, PARAMETER_BEATS, SOFTMAX_CHANNELS, Destination, Mode
from .planes import places_of
from .softmax_model import softmax
from .tile_config import TileConfig

Config = TypeVar("Config", bound=TileConfig)


class TileInterpreter(ChassisInterpreter[Config]):
    """State of the machine between commands; a family adds `_load_weight_store` and `_multiply_accumulate`.

    Args:
        config: of the engine.
        layouts: the family's commands.
        regions: bytes of each memory region, uint8; SCRATCH and OUTPUT are written in place.
    """

    def __init__(
        self,
        config: Config,
        layouts: Mapping[Opcode, CommandLayout],
        regions: Mapping[Region, npt.NDArray[np.uint8]],
    ) -> None:
        super().__init__(config, layouts, regions)
        self.parameters = np.zeros((config.parameter_beats, 8), np.uint8)
        self.operand_table = np.zeros((2, 256), np.int32)
        self.activation_table = np.zeros(256, np.int8)
        self.exponential_table = np.zeros(256, np.int32)
        self._tiles: deque[npt.NDArray[np.signedinteger]] = deque()
        self._partial: npt.NDArray[np.signedinteger] | None = None
        self._activations: deque[tuple[int, Fields]] = deque()

    def _finish(self) -> None:
        if self._tiles or self._activations or self._partial is not None:
            raise IllegalCommand("COMPUTE and ACTIVATE do not cover the same tiles")

    def _load_weights(self, fields: Fields) -> None:
        beat_bytes = self.config.weights_beat_bytes
        content = self._memory(fields, fields["beats"] * beat_bytes)
        address, destination = fields["address"], Destination(fields["destination"])
        if destination is not Destination.WEIGHT_STORE:  # which alone takes more than 64 bits of a beat
            content = np.ascontiguousarray(content.reshape(-1, beat_bytes)[:, :8]).reshape(-1)
        match destination:
            case Destination.WEIGHT_STORE:
                self._load_weight_store(fields, content)
            case Destination.PARAMETER_STORE:
                where = (address + np.arange(fields["beats"])) % len(self.parameters)
                self.parameters[where] = content.reshape(-1, 8)
            case Destination.OPERAND_TABLE:
                self.operand_table.reshape(-1)[address * 2 :][: fields["beats"] * 2] = content.view("<i4")
            case Destination.ACTIVATION_TABLE:
                self.activation_table[address * 8 :][: len(content)] = content.view(np.int8)
            case Destination.EXPONENTIAL_TABLE:
                self.exponential_table[address * 2 :][: fields["beats"] * 2] = content.view("<i4")

    @abstractmethod
    def _load_weight_store(self, fields: Fields, content: npt.NDArray[np.uint8]) -> None:
        """WEIGHTS into `Destination.WEIGHT_STORE`."""

    @abstractmethod
    def _multiply_accumulate(self, fields: Fields, mode: Mode) -> npt.NDArray[np.signedinteger]:
        """What COMPUTE makes of weights: [block, row, x, channel]."""

    def _compute(self, fields: Fields) -> bool:
        mode = Mode(fields["mode"])
        if fields["tile_rows"] * fields["tile_groups"] * places_of(fields) > self.config.tile_pixels:
            raise self._illegal(f"a tile of {fields['tile_rows']} x {fields['tile_groups']} groups")
        is_elementwise = mode in (Mode.ADD, Mode.MULTIPLY)
        for prefix, stride in (("ifm_", fields["stride_y"]), *[("ifm2_", 1)] * is_elementwise):
            ring, tile_step = (
                fields[f"{prefix}ring_size"],
                fields["tile_rows"] * stride * fields[f"{prefix}row_pitch"],
            )
            if fields["tile_rows"] < fields["height"] and 0 < ring < tile_step:
                raise self._illegal(f"tiles {tile_step} bricks apart in a ring of {ring}")
        if is_elementwise:
            result = self._elementwise(fields, mode)
        elif mode is Mode.MAXIMUM:
            result = self._maximum(fields)
        else:
            result = self._multiply_accumulate(fields, mode)
        if fields["accumulate"]:
            if self._partial is None or self._partial.shape != result.shape:
                raise self._illegal("accumulate without a matching partial tile")
            result = self._wrapped(result + self._partial)
            self._partial = None
        if fields["partial"]:
            self._partial = result
        else:
            self._tiles.extend(self._cut_tiles(fields, result))
        return True

    def _cut_tiles(
        self, fields: Fields, result: npt.NDArray[np.signedinteger]
    ) -> list[npt.NDArray[np.signedinteger]]:
        """[block, row, x, channel] -> one array a tile, in the order of the loop nest."""
        block_cores = 1 << fields["block_cores_log2"]
        columns = fields["tile_groups"] << fields["pixel_cores_log2"]
        return [
            result[block : block + block_cores, top : top + fields["tile_rows"], left : left + columns]
            for block in range(0, fields["output_blocks"], block_cores)
            for top in range(0, fields["height"], fields["tile_rows"])
            for left in range(0, fields["width"], columns)
        ]

    def _kernel_row_pointers(self, fields: Fields) -> npt.NDArray[np.int64]:
        """Pointers [ofm row, kernel row]; every step is one that the gateware takes."""
        starts = self._row_pointers(fields, "ifm_", [fields["stride_y"]] * (fields["height"] - 1))
        steps = [fields["dilation_y"]] * (fields["kernel_height"] - 1)
        return np.array([self._row_pointers({**fields, "ifm_row": start}, "ifm_", steps) for start in starts])

    def _windows(self, fields: Fields, brick: int, plane: int = 0) -> npt.NDArray[np.signedinteger]:
        """Ifm under the kernel for one channel brick, `plane` bricks behind its place: [row, x, kernel row, kernel
        column, lane].
        """
        y = (
            fields["y_origin"]
            + np.arange(fields["height"])[:, None] * fields["stride_y"]
            + np.arange(fields["kernel_height"])[None, :] * fields["dilation_y"]
        )
        x = (
            fields["x_origin"]
            + np.arange(fields["width"])[:, None] * fields["stride_x"]
            + np.arange(fields["kernel_width"])[None, :] * fields["dilation_x"]
        )
        inside = ((y >= 0) & (y < fields["ifm_height"]))[:, None, :, None] & (
            (x >= 0) & (x < fields["ifm_width"])
        )[None, :, None, :]
        pointers = self._kernel_row_pointers(fields) + brick * fields["ifm_channel_pitch"] + plane
        addresses = (pointers[:, None, :, None] + x[None, :, None, :]) & POINTER_MASK
        if inside.any() and addresses[inside].max() >= self.config.buffer_bricks:
            raise self._illegal(f"reads brick {addresses[inside].max()} of {self.config.buffer_bricks}")
        values = self._elements[addresses % self.config.buffer_bricks]
        pad = fields["pad_value"] << self.config.element_bits - PAD_BITS
        return np.where(inside[..., None], values, values.dtype.type(pad))

    @property
    def _elements(self) -> npt.NDArray[np.signedinteger]:
        """The unified buffer as operands: [brick, channel]."""
        stored = self.buffer.view(f"i{self.config.element_bytes}")
        unused = 8 * self.config.element_bytes - self.config.element_bits
        return (stored << unused) >> unused

    def _wrapped(self, sums: npt.NDArray[np.integer]) -> npt.NDArray[np.signedinteger]:
        """As accumulators hold them."""
        if self.config.sum_bits == 32:
            return sums.astype(np.int32)
        unused = 64 - self.config.sum_bits
        return (sums.astype(np.int64) << unused) >> unused

    def _own_channels(self, bricks: npt.NDArray[np.integer], block: int) -> npt.NDArray[np.integer]:
        """The output block's channels of bricks [..., lane]."""
        outputs = self.config.core_outputs
        first = outputs * (block % (self.config.brick_channels // outputs))
        return bricks[..., first : first + outputs]

    def _maximum(self, fields: Fields) -> npt.NDArray[np.signedinteger]:
        blocks = [
            self._own_channels(self._windows(fields, block // fields["blocks_per_brick"]), block).max(
                axis=(2, 3)
            )
            for block in range(fields["output_blocks"])
        ]
        return self._wrapped(np.stack(blocks))

    def _elementwise(self, fields: Fields, mode: Mode) -> npt.NDArray[np.signedinteger]:
        second = {
            **fields,
            **{
                name.replace("ifm2_", "ifm_"): value
                for name, value in fields.items()
                if name.startswith("ifm2_")
            },
        }
        blocks = []
        for block in range(fields["output_blocks"]):
            brick = block // fields["blocks_per_brick"]
            first_values = self._own_channels(self._windows(fields, brick)[:, :, 0, 0], block)
            x = (
                np.zeros(fields["width"], np.int64)
                if fields["ifm2_broadcast_x"]
                else np.arange(fields["width"])
            )
            rows = np.array(self._row_pointers(second, "ifm_", [1] * (fields["height"] - 1)))
            addresses = (rows[:, None] + brick * fields["ifm2_channel_pitch"] + x[None, :]) & POINTER_MASK
            bricks = self._elements[addresses]
            if fields["ifm2_broadcast_channels"]:
                bricks = np.repeat(bricks[..., :1], bricks.shape[-1], axis=-1)
            second_values = self._own_channels(bricks, block)
            blocks.append(self._combined(fields, mode, first_values, second_values))
        return self._wrapped(np.stack(blocks))

    def _combined(
        self,
        fields: Fields,
        mode: Mode,
        first: npt.NDArray[np.integer],
        second: npt.NDArray[np.integer],
    ) -> npt.NDArray[np.signedinteger]:
        """What ADD or MULTIPLY makes of the values of both operands."""
        a, b = first.astype(np.int64), second.astype(np.int64)
        if self.config.element_bits == 8:
            a, b = self.operand_table[0][a + 128], self.operand_table[1][b + 128]
            return a + b if mode is Mode.ADD else a * b
        if mode is not Mode.ADD or "operand_shift" not in self.config.compute.names:
            raise self._illegal(f"mode {mode.name} of fixed-point numbers")
        shifts = (0, fields["operand_shift"]) if fields["shifts_second"] else (fields["operand_shift"], 0)
        signs = (1 - 2 * (fields["negated"] & 1), 1 - (fields["negated"] & 2))
        return (a * signs[0] << shifts[0]) + (b * signs[1] << shifts[1])

    def _activate(self, fields: Fields) -> bool:
        self._activations.append((self._index, fields))
        return False

    def _proceed(self) -> None:
        """ACTIVATE drains the tiles that are filled."""
        while self._activations and len(self._tiles) >= tile_count(self._activations[0][1]):
            self._index, fields = self._activations.popleft()
            self._drain(fields)
            if fields["snapshot"]:
                self.snapshots.append(self._index)
            self._give_tokens(Verb.ACTIVATE, fields)

    def _drain(self, fields: Fields) -> None:
        outputs = self.config.core_outputs
        accumulators = self._wrapped(np.zeros(self._tile_shape(fields), np.int64))
        for target in self._cut_tiles(fields, accumulators):
            tile = self._tiles.popleft()
            if tile.shape != target.shape:
                raise self._illegal(
                    f"ACTIVATE drains a tile of {target.shape}, COMPUTE filled one of {tile.shape}"
                )
            target[:] = tile
        results = self._scaled(fields, accumulators)
        if fields["softmax_lanes"]:
            results = self._softmax(fields, results)
        per_brick = self.config.brick_channels // outputs
        rows = np.array(self._row_pointers(fields, "ofm_", [1] * (fields["height"] - 1)))
        for offset, plane in self._planes(fields, results):
            stored = self.buffer.view(plane.dtype)
            for block in range(fields["output_blocks"]):
                start = rows + block // per_brick * fields["ofm_channel_pitch"] + offset
                addresses = (start[:, None] + np.arange(fields["width"])[None, :]) & POINTER_MASK
                if addresses.max() >= self.config.buffer_bricks:
                    raise self._illegal(f"writes brick {addresses.max()} of {self.config.buffer_bricks}")
                first = outputs * (block % per_brick)
                stored[addresses, first : first + outputs] = plane[block]

    def _tile_shape(self, fields: Fields) -> tuple[int, ...]:
        """Of all that an ACTIVATE drains."""
        return fields["output_blocks"], fields["height"], fields["width"], self.config.core_outputs

    def _planes(
        self, fields: Fields, results: npt.NDArray[np.signedinteger]
    ) -> list[tuple[int, npt.NDArray[np.integer]]]:
        """What of the results is written, and how many bricks behind the place that ACTIVATE names."""
        return [(0, results)]

    def _scaled(
        self, fields: Fields, accumulators: npt.NDArray[np.signedinteger]
    ) -> npt.NDArray[np.signedinteger]:
        """What the output stage makes of [block, row, x, channel], as it is stored."""
        bias, multiplier, shift = self._channel_parameters(fields)
        if self.config.element_bits != 8:
            total = self._wrapped(accumulators + bias + (multiplier.astype(np.int64) << 32))
            real = total / 2.0**-shift  # exact: 48 bits have room in the 53 of a double
            away = np.copysign(np.floor(np.abs(real) + 0.5), real)
            rounded = np.rint(real) if fields["to_even"] else away
            return np.clip(rounded, fields["minimum"], fields["maximum"]).astype(
                f"i{self.config.element_bytes}"
            )
        with np.errstate(over="ignore"):
            x = accumulators + bias
            x = x << np.maximum(shift, 0)
        x = saturating_rounding_doubling_high_multiply(x, np.broadcast_to(multiplier, x.shape))
        x = rounding_divide_by_power_of_two(x, np.broadcast_to(np.maximum(-shift, 0), x.shape))
        x = np.clip(x.astype(np.int64) + fields["zero_point"], fields["minimum"], fields["maximum"])
        return self.activation_table[x + 128] if fields["use_table"] else x.astype(np.int8)

    def _softmax(
        self, fields: Fields, results: npt.NDArray[np.signedinteger]
    ) -> npt.NDArray[np.signedinteger]:
        """Of one pixel, [block, 1, 1, channel]."""
        bricks = -(-results.size // BRICK_CHANNELS)
        channels = (bricks - 1) * BRICK_CHANNELS + fields["softmax_lanes"]
        if fields["height"] != 1 or fields["width"] != 1 or fields["zero_point"] != 0:
            raise self._illegal("SOFTMAX of more than one pixel, or with a zero point")
        if fields["softmax_lanes"] > BRICK_CHANNELS or channels > min(results.size, SOFTMAX_CHANNELS):
            raise self._illegal(f"SOFTMAX of {channels} channels out of {results.size}")
        values = results.reshape(-1).copy()
        values[:channels] = softmax(values[:channels], self.exponential_table)
        return values.reshape(results.shape)

    def _channel_parameters(self, fields: Fields) -> tuple[npt.NDArray[np.int32], ...]:
        """Bias, multiplier and shift, each int32[block, 1, 1, channel]."""
        outputs = self.config.core_outputs
        blocks = 1 if fields["parameter_uniform"] else -(-fields["output_blocks"] * outputs // BRICK_CHANNELS)
        beats = np.arange(blocks * PARAMETER_BEATS).reshape(blocks, PARAMETER_BEATS)
        if fields["uniform_scale"]:
            beats = np.tile(beats[0], (blocks, 1))
            beats[1:, :BIAS_BEATS] = PARAMETER_BEATS + np.arange((blocks - 1) * BIAS_BEATS).reshape(
                -1, BIAS_BEATS
            )
        where = (fields["parameter_address"] + beats) % len(self.parameters)
        raw = self.parameters[where].reshape(blocks, PARAMETER_BEATS * 8)
        parts = (
            raw[:, :32].copy().view("<i4"),
            raw[:, 32:64].copy().view("<i4"),
            raw[:, 64:].copy().view("i1"),
        )
        result = []
        for part in parts:
            values = part.astype(np.int32).reshape(-1, outputs)
            if fields["parameter_uniform"]:
                values = np.resize(values, (fields["output_blocks"], outputs))
            result.append(values[: fields["output_blocks"], None, None, :])
        return tuple(result)
