"""Layer -> commands of the CNN array."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..chassis.layer import Layer, MapShape
from ..chassis.layer_plan import LayerPlan, Operand, needed_rows
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

_LONG_LOAD = 512
"""Beats of weights for which COMPUTE would wait too long."""
_EARLY_ROUNDS = 4
"""In so many rounds weights are used more slowly than the memory port brings them."""


@dataclass(frozen=True, slots=True)
class _Load:
    """The first `rows` of an ifm, which the layer `index` had loaded."""

    index: int
    ifm: Operand
    rows: int

    def is_of(self, plan: LayerPlan) -> bool:
        """Whether the next layer's ifm is the same, and lies where it was loaded to."""
        return plan.index == self.index + 1 and plan.ifm == self.ifm and self.ifm.memory is not None


@dataclass(slots=True)
class Lowering(StoredWeightsLowering[CnnArrayConfig]):
    """A section while its commands are made."""

    last_load: _Load | None = field(default=None, kw_only=True)

    @property
    def loads_weights_first(self) -> bool:
        """Where an image takes a LOAD for each row, these must not hold up the weights behind them in the list."""
        return self.config.has_rounds

    def load_operands(self, plan: LayerPlan, stripe: tuple[int, int], loaded: list[int]) -> None:
        """As in every family; of the groups of a convolution, layers that follow each other, the first one loads."""
        if not self.config.has_rounds:
            super(Lowering, self).load_operands(plan, stripe, loaded)
            return
        if self.last_load is not None and self.last_load.is_of(plan):
            loaded[0] = max(loaded[0], self.last_load.rows)
        super(Lowering, self).load_operands(plan, stripe, loaded)
        is_last = stripe == plan.stripes[-1]
        if is_last and not plan.ifm.placement.is_ring and needed_rows(plan.layer, plan.stripes[0])[0] == 0:
            self.last_load = _Load(plan.index, plan.ifm, loaded[0])

    def early_tiling(self, layer: Layer, tiling: Tiling, weight_bytes: int) -> Tiling | None:
        """A large array would wait long for its first weights: tiles of so many pixels that the port keeps up."""
        config, width = self.config, layer.ofm_shape.width
        beats = weight_bytes // config.weights_beat_bytes
        if not config.has_rounds or beats < _LONG_LOAD or tiling.tile_groups < width or tiling.taps > 1:
            return None
        rows = min(_EARLY_ROUNDS * config.pixel_units, config.tile_pixels) // width
        return replace(tiling, tile_rows=min(rows, layer.ofm_shape.height)) if rows else None

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
