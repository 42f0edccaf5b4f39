"""Layer -> commands of the MAC engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..chassis.layer import Layer
from ..chassis.tiles.stored_weights_lowering import StoredWeightsLowering
from ..chassis.tiles.tiling import Tiling
from .config import MacEngineConfig
from .tiling_choice import choose_tiling
from .weight_code import CodedWeights, encode_if_better
from .weight_layout import weight_blocks


@dataclass(slots=True)
class Lowering(StoredWeightsLowering[MacEngineConfig]):
    """A section while its commands are made; `beat_cycles`: between two beats from memory."""

    beat_cycles: float = 1.0
    coded: dict[bytes, CodedWeights | None] = field(default_factory=dict)
    """What raw weights are coded as, None for those that stay raw."""

    def choose_tiling(self, layer: Layer, height: int) -> Tiling:
        """The fastest."""
        return choose_tiling(layer, height, self.config)

    def weight_blocks(self, layer: Layer, tiling: Tiling) -> np.ndarray:
        """In the order in which the cores take them."""
        return weight_blocks(layer, tiling, self.config)

    def code(self, content: bytes) -> tuple[bytes, Mapping[str, int]]:
        """Coded if that is better."""
        if content not in self.coded:
            self.coded[content] = encode_if_better(content, self.beat_cycles)
        coded = self.coded[content]
        return (content, {}) if coded is None else (coded.content, coded.fields)
