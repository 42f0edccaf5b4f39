"""A NumPy machine that executes a command list: the definition of what every command does.

`chassis.interpreter` has what all families share, `chassis.tiles.tile_interpreter` COMPUTE and ACTIVATE but for the
products; here are the weights.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..chassis.command import Region
from ..chassis.interpreter import Fields
from ..chassis.tiles.tile_interpreter import TileInterpreter
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, LARGEST_PACKED_CHANNELS, LAYOUTS, Mode
from .weight_code import MalformedWeights, code_of, decode


class Interpreter(TileInterpreter[MacEngineConfig]):
    """State of the machine between commands.

    Args:
        config: of the engine.
        regions: bytes of each memory region, uint8; SCRATCH and OUTPUT are written in place.
    """

    def __init__(self, config: MacEngineConfig, regions: Mapping[Region, npt.NDArray[np.uint8]]) -> None:
        super().__init__(config, LAYOUTS, regions)
        self.weights = np.zeros((config.weight_words * 16,), np.int8)

    def _load_weight_store(self, fields: Fields, content: npt.NDArray[np.uint8]) -> None:
        if fields["words"]:
            content = self._decoded(content, fields)
        where = (fields["address"] * 8 + np.arange(len(content))) % len(self.weights)
        self.weights[where] = content.view(np.int8)

    def _decoded(self, content: npt.NDArray[np.uint8], fields: Fields) -> npt.NDArray[np.uint8]:
        try:
            return np.frombuffer(decode(content.tobytes(), code_of(fields), fields["words"]), np.uint8)
        except MalformedWeights as error:
            raise self._illegal(str(error)) from error

    def _weight_blocks(self, fields: Fields, mode: Mode) -> npt.NDArray[np.int8]:
        """[block, kernel row, column step, channel brick, output channel, lane]."""
        block_cores = 1 << fields["block_cores_log2"]
        groups = -(-fields["output_blocks"] // block_cores)
        columns = -(-fields["kernel_width"] // fields["taps"])
        shape = (
            groups,
            fields["kernel_height"],
            columns,
            fields["channel_bricks"],
            block_cores,
            self.config.core_outputs,
            BRICK_CHANNELS,
        )
        where = (fields["weight_address"] * 16 + np.arange(np.prod(shape))) % len(self.weights)
        if len(where) > len(self.weights):
            raise self._illegal(f"{len(where)} bytes of weights exceed the weight store")
        blocks = self.weights[where].reshape(shape).transpose(0, 4, 1, 2, 3, 5, 6)
        return blocks.reshape(groups * block_cores, *blocks.shape[2:])[: fields["output_blocks"]]

    def _multiply_accumulate(self, fields: Fields, mode: Mode) -> npt.NDArray[np.int32]:
        weights = self._weight_blocks(fields, mode).astype(np.int64)
        outputs = self.config.core_outputs
        shape = fields["output_blocks"], fields["height"], fields["width"], outputs
        result = np.zeros(shape, np.int64)
        per_brick = fields["blocks_per_brick"]
        if mode is Mode.PACKED:
            return self._multiply_packed(fields, weights)
        if mode is Mode.DENSE and not per_brick:
            for brick in range(fields["channel_bricks"]):
                windows = self._windows(fields, brick).astype(np.float64)
                # exact: every partial sum stays below 2**53
                product = np.tensordot(
                    windows, weights[:, :, :, brick].astype(np.float64), ((2, 3, 4), (1, 2, 4))
                )
                result += product.transpose(2, 0, 1, 3).astype(np.int64)
            return result.astype(np.int32)
        for block in range(fields["output_blocks"]):
            windows = self._windows(fields, block // per_brick).astype(np.int64)
            if mode is Mode.DENSE:
                result[block] = np.einsum("yxklc,klrc->yxr", windows, weights[block, :, :, 0])
                continue
            own = self._own_channels(windows, block)
            taps = weights[block, :, :, 0, :, : fields["taps"]]
            taps = taps.transpose(0, 1, 3, 2).reshape(taps.shape[0], -1, outputs)[:, : fields["kernel_width"]]
            result[block] = np.einsum("yxklr,klr->yxr", own, taps)
        return result.astype(np.int32)

    def _multiply_packed(self, fields: Fields, weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Kernel columns share the lanes: lane = tap * channels + channel."""
        channels, taps, width = fields["packed_channels"], fields["taps"], fields["kernel_width"]
        if not 1 <= channels <= LARGEST_PACKED_CHANNELS or taps * channels > BRICK_CHANNELS:
            raise self._illegal(f"{taps} kernel columns of {channels} channels do not share eight lanes")
        windows = self._windows(fields, 0)[..., :channels].astype(np.int64)
        used = weights[:, :, :, 0, :, : taps * channels]
        by_tap = used.reshape(*used.shape[:4], taps, channels).transpose(0, 1, 2, 4, 3, 5)
        columns = by_tap.reshape(len(used), used.shape[1], -1, used.shape[3], channels)[:, :, :width]
        return np.einsum("yxklc,bklrc->byxr", windows, columns, optimize=True).astype(np.int32)
