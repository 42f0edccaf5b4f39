"""A NumPy machine that executes a command list: the definition of what every command does.

`chassis.interpreter` has what all families share, `chassis.tiles.tile_interpreter` COMPUTE and ACTIVATE but for the
products; here are the kernel buffers, and what the array makes of them.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..chassis.command import Region
from ..chassis.interpreter import Fields
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.tile_interpreter import TileInterpreter
from .config import CnnArrayConfig
from .isa import LAYOUTS


class Interpreter(TileInterpreter[CnnArrayConfig]):
    """State of the machine between commands.

    Args:
        config: of the engine.
        regions: bytes of each memory region, uint8; SCRATCH and OUTPUT are written in place.

    Attributes:
        weights: the kernel buffers, bytes[word, output channel].
    """

    def __init__(self, config: CnnArrayConfig, regions: Mapping[Region, npt.NDArray[np.uint8]]) -> None:
        super().__init__(config, LAYOUTS, regions)
        self.weights = np.zeros((config.weight_words, config.weight_word_bytes), np.uint8)

    def _load_weight_store(self, fields: Fields, content: npt.NDArray[np.uint8]) -> None:
        if fields["words"]:
            raise self._illegal("coded weights")
        where = (
            fields["address"] * self.config.weights_beat_bytes + np.arange(len(content))
        ) % self.weights.size
        self.weights.reshape(-1)[where] = content

    def _multiply_accumulate(self, fields: Fields, mode: Mode) -> npt.NDArray[np.signedinteger]:
        """Block group by block group: rows of the array are its output channels."""
        config, blocks = self.config, fields["output_blocks"]
        if mode is not Mode.DENSE and not (mode is Mode.PACKED and config.taps > 1):
            raise self._illegal(f"mode {mode.name}")
        width = 1 << fields["block_cores_log2"]
        turns = 1 + fields["two_turns"] if config.turns > 1 else 1
        if width > config.cores // config.turns * turns or fields["pixel_cores_log2"]:
            raise self._illegal("cores that the array does not have")
        weights = self._kernels(fields, -(-blocks // width), turns).astype(np.float64)
        lanes = weights.shape[-2]
        result = np.zeros((blocks, fields["height"], fields["width"], config.core_outputs), np.int64)
        known: dict[int, npt.NDArray[np.float64]] = {}
        for group, first in enumerate(range(0, blocks, width)):
            own = first // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
            sums = np.zeros((), np.float64)  # exact: every partial sum stays below 2**53
            for brick in range(fields["channel_bricks"]):
                if own + brick not in known:
                    windows = self._windows(fields, own + brick)
                    windows = self._packed(fields, windows) if mode is Mode.PACKED else windows
                    known[own + brick] = windows[..., :lanes].astype(np.float64)
                kernels = weights[group, :, :, brick]
                sums = sums + np.tensordot(known[own + brick], kernels, ((2, 3, 4), (0, 1, 2)))
            for block in range(first, min(first + width, blocks)):
                low = (block - first) * config.core_outputs
                result[block] = sums[..., low : low + config.core_outputs].astype(np.int64)
        return self._wrapped(result)

    def _packed(
        self, fields: Fields, windows: npt.NDArray[np.signedinteger]
    ) -> npt.NDArray[np.signedinteger]:
        """[row, x, kernel row, kernel column, lane] with several kernel columns on the lanes of one.

        Kernel columns beyond the last have no weights.
        """
        taps, channels = fields["taps"], fields["packed_channels"]
        if channels % 4 or not 0 < channels <= self.config.neighbour_channels or fields["window"] != taps:
            raise self._illegal(f"{taps} taps of {channels} channels, {fields['window']} bricks a read")
        height, width, rows, columns = windows.shape[:4]
        steps, lanes = -(-columns // taps), self.config.brick_channels
        padded = np.zeros((height, width, rows, steps * taps, channels), windows.dtype)
        padded[..., :columns, :] = windows[..., :channels]
        joined = padded.reshape(height, width, rows, steps, taps * channels)
        return np.pad(joined, [(0, 0)] * 4 + [(0, max(0, lanes - taps * channels))])

    def _kernels(self, fields: Fields, groups: int, turns: int) -> npt.NDArray[np.signedinteger]:
        """[block group, kernel row, kernel column, channel brick, lane, output channel]."""
        config = self.config
        taps, step_words = 1, config.brick_channels
        if config.has_rounds:
            taps, step_words = fields["taps"], fields["round_last"] + 1
            if step_words < config.pixel_units or step_words % turns:
                raise self._illegal(f"rounds of {step_words} words")
        elif fields["weight_address"] % step_words:
            raise self._illegal(f"weights at word {fields['weight_address']} are not those of a step")
        steps = fields["kernel_height"], -(-fields["kernel_width"] // taps), fields["channel_bricks"]
        words = groups * int(np.prod(steps)) * step_words
        if words > config.weight_words:
            raise self._illegal(f"{words} words of weights exceed the kernel buffers")
        where = (fields["weight_address"] + np.arange(words)) % config.weight_words
        stored = self.weights[where].view(f"i{config.element_bytes}")
        unused = 8 * config.element_bytes - config.element_bits
        lanes, outputs = step_words // turns, config.channel_units * turns
        return ((stored << unused) >> unused).reshape(groups, *steps, lanes, outputs)
