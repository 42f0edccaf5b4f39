"""Layer -> commands of the CNN array."""

from dataclasses import dataclass

import numpy as np

from ..chassis.layer import Layer
from ..chassis.tiles.stored_weights_lowering import StoredWeightsLowering
from ..chassis.tiles.tiling import Tiling
from ..chassis.tiles.weight_tiles import weight_tiles
from .config import CnnArrayConfig
from .tiling import choose_tiling

PASSES_IN_STORE = 4
"""A pass fills at most one of so many parts of the kernel buffers: others load while one is used."""


@dataclass(slots=True)
class Lowering(StoredWeightsLowering[CnnArrayConfig]):
    """A section while its commands are made."""

    def choose_tiling(self, layer: Layer, height: int) -> Tiling:
        """The fastest by estimate."""
        return choose_tiling(layer, height, self.config)

    def weight_blocks(self, layer: Layer, tiling: Tiling) -> np.ndarray:
        """A byte for each row, lane by lane."""
        return weight_tiles(layer, tiling, self.config)
