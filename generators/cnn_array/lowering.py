"""Layer -> commands of the CNN array."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..chassis.layer import Layer, MapShape
from ..chassis.layer_plan import LayerPlan
from ..chassis.schedule import Span
from ..chassis.tiles.commands import Mode
from ..chassis.tiles.stored_weights_lowering import StoredWeightsLowering
from ..chassis.tiles.tile_lowering import Stored
from ..chassis.tiles.tiling import Tiling, reads_weights
from ..chassis.tiles.weight_tiles import weight_tiles
from .config import CnnArrayConfig
from .rounds import packed, round_cycles, turns_of
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
        """An operand for each output channel at once, lane by lane; only lanes that a round has."""
        config = self.config
        turns = turns_of(tiling.block_cores, config)
        lanes = round_cycles(layer, tiling.taps, tiling.block_cores, config) // turns
        if tiling.mode is Mode.PACKED:
            layer = _with_taps_as_channels(layer, tiling.taps)
        blocks = weight_tiles(layer, tiling, config)[..., :lanes, : config.channel_units * turns]
        return np.ascontiguousarray(blocks)

    def compute(
        self,
        plan: LayerPlan,
        fields: dict[str, int],
        stripe: tuple[int, int],
        weights: Stored | None,
        table_spans: Sequence[Span],
    ) -> None:
        """COMPUTE with these fields, and how long its rounds are."""
        if self.config.has_rounds and reads_weights(Mode(fields["mode"])):
            cores = 1 << fields["block_cores_log2"]
            cycles = round_cycles(plan.layer, fields["taps"], cores, self.config)
            turns = turns_of(cores, self.config)
            fields = {**fields, "round_last": cycles - 1, "two_turns": turns - 1}
        super(Lowering, self).compute(plan, fields, stripe, weights, table_spans)


def _with_taps_as_channels(layer: Layer, taps: int) -> Layer:
    """The same weights, as those of a kernel of fewer columns over more channels."""
    assert layer.weights is not None
    weights = packed(layer.weights, taps)
    shape, window = layer.ifm_shape, layer.window
    return replace(
        layer,
        ifm_shape=MapShape(shape.height, shape.width, weights.shape[3]),
        weights=weights,
        window=replace(window, width=weights.shape[2]),
    )
