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
        weights: the kernel buffers, bytes[word, row].
    """

    def __init__(self, config: CnnArrayConfig, regions: Mapping[Region, npt.NDArray[np.uint8]]) -> None:
        super().__init__(config, LAYOUTS, regions)
        self.weights = np.zeros((config.weight_words, config.weight_word_bytes), np.uint8)

    def _load_weight_store(self, fields: Fields, content: npt.NDArray[np.uint8]) -> None:
        if fields["words"]:
            raise self._illegal("coded weights")
        where = (fields["address"] * 8 + np.arange(len(content))) % self.weights.size
        self.weights.reshape(-1)[where] = content

    def _multiply_accumulate(self, fields: Fields, mode: Mode) -> npt.NDArray[np.signedinteger]:
        """Block group by block group: rows of the array are its output channels."""
        if mode is not Mode.DENSE:
            raise self._illegal(f"mode {mode.name}")
        config, blocks = self.config, fields["output_blocks"]
        width = 1 << fields["block_cores_log2"]
        if width > config.cores or fields["pixel_cores_log2"]:
            raise self._illegal("cores that the array does not have")
        weights = self._kernels(fields, -(-blocks // width)).astype(np.float64)
        result = np.zeros((blocks, fields["height"], fields["width"], config.core_outputs), np.int64)
        known: dict[int, npt.NDArray[np.float64]] = {}
        for group, first in enumerate(range(0, blocks, width)):
            own = first // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
            sums = np.zeros((), np.float64)  # exact: every partial sum stays below 2**53
            for brick in range(fields["channel_bricks"]):
                if own + brick not in known:
                    known[own + brick] = self._windows(fields, own + brick).astype(np.float64)
                kernels = weights[group, :, :, brick]
                sums = sums + np.tensordot(known[own + brick], kernels, ((2, 3, 4), (0, 1, 2)))
            for block in range(first, min(first + width, blocks)):
                low = (block - first) * config.core_outputs
                result[block] = sums[..., low : low + config.core_outputs].astype(np.int64)
        return self._wrapped(result)

    def _kernels(self, fields: Fields, groups: int) -> npt.NDArray[np.signedinteger]:
        """[block group, kernel row, kernel column, channel brick, lane, row]."""
        config = self.config
        steps = fields["kernel_height"], fields["kernel_width"], fields["channel_bricks"]
        words = groups * int(np.prod(steps)) * config.columns
        if words > config.weight_words:
            raise self._illegal(f"{words} words of weights exceed the kernel buffers")
        if fields["weight_address"] % config.columns:
            raise self._illegal(f"weights at word {fields['weight_address']} are not those of a step")
        where = (fields["weight_address"] + np.arange(words)) % config.weight_words
        stored = self.weights[where].view(f"i{config.element_bytes}")
        unused = 8 * config.element_bytes - config.element_bits
        return ((stored << unused) >> unused).reshape(groups, *steps, config.columns, config.rows)
