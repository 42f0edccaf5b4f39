"""Layer -> commands of a large CNN array: what keeps it waiting when a layer begins and when it ends.

The first tile of a layer is filled in parts of the reduction while the weights still come, and the last block group
has an ACTIVATE for every row of tiles, so that the rows above are stored meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..chassis.layer import LayerKind
from ..chassis.layer_plan import LayerPlan, Operand, needed_rows
from ..chassis.placement import store_rows
from ..chassis.schedule import Span
from ..chassis.tiles.command_fields import BlockRange, ReductionBox, compute_fields, whole_reduction
from ..chassis.tiles.stored_weights_lowering import StoredLayer
from ..chassis.tiles.tile_lowering import Stored
from ..chassis.tiles.tiling import Tiling
from ..chassis.tiles.weight_passes import ranges
from .lowering import Lowering
from .rounds import round_cycles

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
class _EarlyWeights:
    """Those of a first block group, loaded part after part; behind each other they are what one load would be."""

    blocks: np.ndarray
    stored: list[Stored] = field(default_factory=list)

    @property
    def boxes(self) -> list[ReductionBox]:
        """Parts of the reduction: a brick of a kernel column, which is soon there, the rest of it, the rest of its row
        in two, and row after row.
        """
        rows, columns, bricks = self.blocks.shape[1:4]
        every = (0, bricks)
        first = [ReductionBox((0, 1), (0, 1), part) for part in ((0, 1), (1, bricks)) if part[0] < part[1]]
        if columns > 1:
            middle = columns // 2 + 1
            first += [
                ReductionBox((0, 1), part, every)
                for part in ((1, middle), (middle, columns))
                if part[0] < part[1]
            ]
        return first + [ReductionBox((row, row + 1), (0, columns), every) for row in range(1, rows)]

    @property
    def whole(self) -> Stored:
        """All of them."""
        return Stored(self.stored[0].address, tuple(span for part in self.stored for span in part.spans))

    def load_next(self, plan: LayerPlan, state: Lowering) -> Stored:
        """Load the next part."""
        box = self.boxes[len(self.stored)]
        content = self.blocks[0, slice(*box.rows), slice(*box.columns), slice(*box.bricks)]
        self.stored.append(state.store_weights(plan, content.tobytes()))
        return self.stored[-1]


@dataclass(slots=True)
class RoundLowering(Lowering):
    """A section while its commands are made.

    Attributes:
        last_load: of the layer before, if all of its ifm is still where it was loaded to.
    """

    last_load: _Load | None = field(default=None, kw_only=True)

    def prepare(self, plan: LayerPlan) -> StoredLayer:
        """First and last pass have an ACTIVATE of their own."""
        member = super(RoundLowering, self).prepare(plan)
        if member.blocks is not None and not member.is_chunked:
            passes = [part for group in member.groups for part in group]
            if self._early_tiling(member, passes[0]) is not None:
                member.groups = [[part] for part in passes[:2]] + _without(member.groups, passes[:2])
            if len(plan.stripes) == 1 and member.groups[-1] != [passes[-1]]:
                member.groups = [*_without(member.groups, passes[-1:]), [passes[-1]]]
            member.keeps_parameters = len(member.groups) == 1
        return member

    def lower_stripe(self, member: StoredLayer, number: int, *, snapshot: bool) -> None:
        """Weights before the rows: where an image takes a LOAD for each of these, they do not wait behind them."""
        plan, groups, stripe = member.plan, member.groups, member.plan.stripes[number]
        if member.blocks is None or member.is_chunked:
            super(RoundLowering, self).lower_stripe(member, number, snapshot=snapshot)
            return
        self.bands = []
        if member.tables is None or not member.keeps_tables:
            member.tables = self.load_tables(plan)
        bands = [stripe]
        for group in groups:
            early = self._early_tiling(member, group[0]) if group in groups[:2] and number == 0 else None
            bands = self._lower_group(member, group, stripe, early, snapshot=snapshot and group is groups[-1])
        layer = plan.layer
        rows = [(layer.ofm_y + first, layer.ofm_y + last) for first, last in bands]
        if plan.ofm.memory is None:
            self.bands = rows
            return
        for first, last in rows:
            self.commands.append(store_rows(plan.ofm.memory, plan.ofm.placement, first, last, plan.index))

    def load_operands(self, plan: LayerPlan, stripe: tuple[int, int], loaded: list[int]) -> None:
        """As in every family; of the groups of a convolution, layers that follow each other, the first one loads."""
        if self.last_load is not None and self.last_load.is_of(plan):
            loaded[0] = max(loaded[0], self.last_load.rows)
        super(RoundLowering, self).load_operands(plan, stripe, loaded)
        is_last = stripe[1] == plan.stripes[-1][1]
        if is_last and not plan.ifm.placement.is_ring and needed_rows(plan.layer, plan.stripes[0])[0] == 0:
            self.last_load = _Load(plan.index, plan.ifm, loaded[0])

    def _lower_group(
        self,
        member: StoredLayer,
        group: list[BlockRange],
        stripe: tuple[int, int],
        early: Tiling | None,
        *,
        snapshot: bool,
    ) -> list[tuple[int, int]]:
        """Append the commands of the passes that lie in the parameter store together; the rows of each ACTIVATE."""
        plan, tiling = member.plan, early or member.tiling
        whole = BlockRange(group[0].first, group[-1].last)
        loads, weights = member.loads_weights, None
        if early is not None and member.blocks is not None:
            weights = _EarlyWeights(member.blocks[group[0].first // tiling.block_cores][None])
            weights.load_next(plan, self)
        elif loads:
            self.load_weights(member, group[0])
        if member.parameters is None or not member.keeps_parameters:
            member.parameters = self.load_parameters(plan, whole)
        bands = self._bands(member, group, stripe, tiling, in_two=early is not None)
        for band in bands:
            self._load_rows(plan, band, member, weights)
            takes_snapshot = snapshot and band is bands[-1]
            self.activate(
                plan, tiling, whole, band, member.parameters, member.tables or (), snapshot=takes_snapshot
            )
            if weights is not None and band is bands[0]:
                member.weights = self._compute_early(member, tiling, group[0], band, weights)
                continue
            for part in group:
                if loads and part is not group[0]:
                    self.load_weights(member, part)
                reduction = whole_reduction(plan.layer, tiling, self.config.brick_channels)
                fields = compute_fields(plan, tiling, part, band, reduction, self.config)
                self.compute(plan, fields, band, member.weights, ())
        return bands

    def _load_rows(
        self, plan: LayerPlan, band: tuple[int, int], member: StoredLayer, weights: _EarlyWeights | None
    ) -> None:
        """Those that the rows of an ACTIVATE need; not before weights that a first tile waits for."""
        number = len(self.commands)
        self.load_operands(plan, band, member.loaded)
        if weights is not None and len(weights.stored) > 1 and len(plan.stripes) == 1:
            self._add_reads(number, weights.stored[-1].spans)

    def _add_reads(self, first: int, spans: Sequence[Span]) -> None:
        """Commands from `first` on wait for those that write there."""
        for place in range(first, len(self.commands)):
            command = self.commands[place]
            self.commands[place] = replace(command, reads=(*command.reads, *spans))

    def _bands(
        self,
        member: StoredLayer,
        group: list[BlockRange],
        stripe: tuple[int, int],
        tiling: Tiling,
        *,
        in_two: bool,
    ) -> list[tuple[int, int]]:
        """Rows of each ACTIVATE: of the last group, those of a tile; else all, but for those of a first tile."""
        (low, high), stripes, step = stripe, member.plan.stripes, tiling.tile_rows
        is_last = group is member.groups[-1] and len(group) == 1 and self._stores(member.plan)
        if is_last and len(stripes) == 1:
            bands = [(low + top, low + bottom) for top, bottom in ranges(high - low, step)]
            return [*bands[:-1], *self._ending(member, bands[-1], tiling)]
        if len(stripes) > 1 and is_last and high - low > step:
            if stripe == stripes[0]:
                return [(low + top, low + bottom) for top, bottom in ranges(high - low, step)]
            if stripe == stripes[-1]:
                return [(low, high - step), (high - step, high)]
        if in_two and low + step < high:
            return [(low, low + step), (low + step, high)]
        return [stripe]

    def _stores(self, plan: LayerPlan) -> bool:
        """Whether the ofm is complete with this layer: not with the one of a convolution's first groups."""
        return plan.ofm.memory is not None or plan.layer.ofm_channel + plan.layer.ofm_shape.channels == (
            plan.ofm.placement.shape.channels
        )

    def _ending(self, member: StoredLayer, band: tuple[int, int], tiling: Tiling) -> list[tuple[int, int]]:
        """The last tile in two, if the array takes less time for one more round than the output stage would need."""
        layer, config, (low, high) = member.plan.layer, self.config, band
        width, cores = layer.ofm_shape.width, tiling.block_cores
        lasting = tiling.steps * round_cycles(layer, tiling.taps, cores, config)
        beats = width * layer.ofm_shape.channels * config.element_bytes * 8 // config.data_bits

        def rounds(rows: int) -> int:
            return -(-rows * width // config.pixel_units)

        def cycles(rest: int) -> int:
            """Of both tiles, of which the second has so many rows, until they are in memory."""
            first = rounds(high - low - rest) * lasting
            drained = first + (high - low - rest) * width * cores
            last = max(drained, first + rounds(rest) * lasting) + rest * width * cores
            return max(last, drained + (high - low - rest) * beats) + rest * beats

        best = min(range(high - low), key=cycles)
        return [(low, high - best), (high - best, high)] if best else [band]

    def _early_tiling(self, member: StoredLayer, part: BlockRange) -> Tiling | None:
        """Of the first block group, if it starts with some of its weights: tiles so large that the port keeps up."""
        config, tiling, layer = self.config, member.tiling, member.plan.layer
        if member.blocks is None or layer.kind is not LayerKind.CONVOLUTION:
            return None
        if member.plan.index:
            return None  # its weights come while the layer before it runs
        beats, width = member.blocks[0].nbytes // config.weights_beat_bytes, layer.ofm_shape.width
        rows = min(_EARLY_ROUNDS * config.pixel_units, config.tile_pixels) // width
        is_group = part.last - part.first <= tiling.block_cores
        if not is_group or beats < _LONG_LOAD or not rows:
            return None
        first, last = member.plan.stripes[0]
        if len(member.plan.stripes) > 1:
            rows = min(rows, tiling.tile_rows)
        return replace(tiling, tile_rows=min(rows, last - first), tile_groups=width)

    def _compute_early(
        self,
        member: StoredLayer,
        tiling: Tiling,
        part: BlockRange,
        rows: tuple[int, int],
        weights: _EarlyWeights,
    ) -> Stored:
        """One tile part by part of its weights, the first of which are loaded."""
        plan, boxes = member.plan, weights.boxes
        for number, box in enumerate(boxes):
            stored = weights.stored[0] if number == 0 else weights.load_next(plan, self)
            fields = compute_fields(plan, tiling, part, rows, box, self.config)
            fields["accumulate"] = int(number > 0)
            fields["partial"] = int(number < len(boxes) - 1)
            self.compute(plan, fields, rows, stored, ())
        return weights.whole


def _without(groups: list[list[BlockRange]], parts: list[BlockRange]) -> list[list[BlockRange]]:
    """The groups without some passes, and without one that would be empty."""
    rest = [[own for own in group if own not in parts] for group in groups]
    return [group for group in rest if group]
