"""Layer -> commands of families whose weights go through a store, pass by pass."""

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from ..layer import Layer, LayerKind, MapShape, Window
from ..layer_plan import LayerPlan
from ..placement import store_rows
from ..schedule import Span, ring_spans
from .command_fields import BlockRange, compute_fields, whole_reduction
from .commands import Destination
from .parameter_content import parameter_content
from .tile_config import StoredWeightsConfig
from .tile_lowering import Stored, TileLowering, tables_of
from .tiling import Tiling, reads_weights
from .weight_passes import parameter_groups, ranges, reduction_chunks, step_bytes, weight_passes

Config = TypeVar("Config", bound=StoredWeightsConfig)

WEIGHT_STORE = "weight store"


@dataclass(slots=True)
class StoredWeightsLowering(TileLowering[Config], ABC):
    """A section: its commands, and what carries over from layer to layer: where the rings stand.

    Attributes:
        pass_words: for each layer of the section the most words of weights of a pass.
    """

    pass_words: Sequence[int]
    weight_address: int = field(default=0, kw_only=True)

    @abstractmethod
    def choose_tiling(self, layer: Layer, height: int) -> Tiling:
        """For `height` rows of the layer's ofm."""

    @abstractmethod
    def weight_blocks(self, layer: Layer, tiling: Tiling) -> np.ndarray:
        """Weights as the core takes them: int8[block group, kernel row, column step, channel brick, ...]."""

    def code(self, content: bytes) -> tuple[bytes, Mapping[str, int]]:
        """What WEIGHTS moves for this content of the store, and the family's own fields that say so."""
        return content, {}

    def lower(
        self, plans: Sequence[LayerPlan], turns: Sequence[tuple[int, int]], snapshots: Container[int]
    ) -> None:
        """Append the commands of layers that run together; see `chassis.family.SectionLowering`."""
        layers = [self.prepare(plan) for plan in plans]
        if len(layers) > 1:
            _share(layers, self.config)
        for turn, (member, number) in enumerate(turns):
            self.lower_stripe(layers[member], number, snapshot=turn in snapshots)

    def prepare(self, plan: LayerPlan) -> "StoredLayer":
        """What carries over from stripe to stripe of a layer, before the first."""
        return _layer(plan, self)

    def lower_stripe(self, member: "StoredLayer", number: int, *, snapshot: bool) -> None:
        """Append the commands of a layer's stripe; `snapshot`: its last ACTIVATE takes one."""
        _lower_stripe(member, number, snapshot, self)

    def load_weights(self, member: "StoredLayer", part: BlockRange) -> None:
        """Load those of a pass."""
        assert member.blocks is not None
        cores = member.tiling.block_cores
        groups = slice(part.first // cores, -(-part.last // cores))
        member.weights = self.store_weights(member.plan, member.blocks[groups].tobytes())

    def store_weights(self, plan: LayerPlan, content: bytes) -> Stored:
        """Load weights behind those that are in the ring."""
        config, address = self.config, self.weight_address
        words = len(content) // config.weight_word_bytes
        spans = ring_spans(WEIGHT_STORE, address, words, config.weight_words)
        stored, coding = self.code(content)
        beat = address * (config.weight_word_bytes // config.weights_beat_bytes)
        self.weights_command(plan, stored, Destination.WEIGHT_STORE, beat, spans, coding)
        self.weight_address = (address + words) % config.weight_words
        return Stored(address, spans)


@dataclass(slots=True)
class StoredLayer:
    """A layer while its stripes get their commands.

    Attributes:
        plan, tiling: its own.
        blocks: its weights in the order in which the cores take them.
        groups: passes over its output blocks, by the ACTIVATE that drains them.
        is_chunked: not even one block group's weights fit the weight store.
        keeps_weights, keeps_parameters, keeps_tables: one load lasts for all stripes.
        weights, parameters, tables: what is in the rings and tables for it, `None` before the first load.
        loaded: rows of ifm and second operand that have been loaded.
    """

    plan: LayerPlan
    tiling: Tiling
    blocks: np.ndarray | None
    groups: list[list[BlockRange]]
    is_chunked: bool
    keeps_weights: bool
    keeps_parameters: bool
    keeps_tables: bool = True
    weights: Stored | None = None
    parameters: Stored | None = None
    tables: tuple[Span, ...] | None = None
    loaded: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def loads_weights(self) -> bool:
        """Whether the weights of a pass are to be loaded before its COMPUTE."""
        return not self.is_chunked and (self.weights is None or not self.keeps_weights)

    @property
    def weight_bytes(self) -> int:
        """What its weights take in the weight store."""
        return 0 if self.blocks is None else self.blocks.nbytes


def _layer(plan: LayerPlan, state: StoredWeightsLowering[Config]) -> StoredLayer:
    layer, config = plan.layer, state.config
    heights = [high - low for low, high in plan.stripes]
    tiling = state.choose_tiling(layer, max(heights, key=heights.count))
    blocks = state.weight_blocks(layer, tiling) if reads_weights(tiling.mode) else None
    passes = weight_passes(layer, tiling, blocks, state.pass_words[plan.index], config)
    groups = parameter_groups(passes, tiling, layer, config)
    is_chunked = blocks is not None and step_bytes(tiling, blocks, config) > _store_bytes(config)
    return StoredLayer(
        plan, tiling, blocks, groups, is_chunked, len(passes) == 1 and not is_chunked, len(groups) == 1
    )


def _store_bytes(config: StoredWeightsConfig) -> int:
    return config.weight_words * config.weight_word_bytes


def _share(layers: Sequence[StoredLayer], config: StoredWeightsConfig) -> None:
    """Layers in turns keep what they loaded only if the loads of all have room beside each other."""
    weights_fit = sum(layer.weight_bytes for layer in layers) <= _store_bytes(config)
    beats = [len(parameter_content(layer.plan.layer.requantization)) // 8 for layer in layers]
    parameters_fit = sum(beats) <= config.parameter_beats
    keeps_weights = weights_fit and all(layer.keeps_weights for layer in layers)
    keeps_parameters = parameters_fit and all(layer.keeps_parameters for layer in layers)
    tables = [table for layer in layers for table in tables_of(layer.plan.layer)]
    for layer in layers:
        layer.keeps_weights = keeps_weights
        layer.keeps_parameters = keeps_parameters
        layer.keeps_tables = all(tables.count(table) == 1 for table in tables_of(layer.plan.layer))


def _lower_stripe(
    member: StoredLayer, number: int, snapshot: bool, state: StoredWeightsLowering[Config]
) -> None:
    plan, tiling, blocks, groups = member.plan, member.tiling, member.blocks, member.groups
    layer, stripe = plan.layer, plan.stripes[number]
    if member.tables is None or not member.keeps_tables:
        member.tables = state.load_tables(plan)
    state.load_operands(plan, stripe, member.loaded)
    for group in groups:
        whole = BlockRange(group[0].first, group[-1].last)
        # COMPUTE needs the first weights before ACTIVATE needs parameters.
        loads_weights = member.loads_weights
        if blocks is not None and loads_weights:
            state.load_weights(member, group[0])
        if member.parameters is None or not member.keeps_parameters:
            member.parameters = state.load_parameters(plan, whole)
        pieces = _pieces(plan, stripe)
        for piece, rows in pieces:
            ends = snapshot and group is groups[-1] and piece is pieces[-1][0]
            state.activate(piece, tiling, whole, rows, member.parameters, member.tables, snapshot=ends)
            for part in group:
                if member.is_chunked and blocks is not None:
                    _compute_in_chunks(piece, tiling, part, rows, blocks, state)
                    continue
                if blocks is not None and loads_weights and part is not group[0]:
                    state.load_weights(member, part)
                fields = compute_fields(
                    piece,
                    tiling,
                    part,
                    rows,
                    whole_reduction(layer, tiling, state.config.brick_channels),
                    state.config,
                )
                state.compute(piece, fields, rows, member.weights, member.tables)
    if plan.ofm.memory is not None:
        first = layer.ofm_y + stripe[0]
        last = layer.ofm_y + stripe[1]
        state.commands.append(store_rows(plan.ofm.memory, plan.ofm.placement, first, last, plan.index))


def _pieces(plan: LayerPlan, stripe: tuple[int, int]) -> list[tuple[LayerPlan, tuple[int, int]]]:
    """What one ACTIVATE covers, with its rows: the whole stripe; of SOFTMAX each pixel, as a layer of its own."""
    layer = plan.layer
    if layer.kind is not LayerKind.SOFTMAX:
        return [(plan, stripe)]
    pieces = []
    for y in range(*stripe):
        for x in range(layer.ofm_shape.width):
            pixel = replace(
                layer,
                ofm_shape=MapShape(1, 1, layer.ofm_shape.channels),
                window=Window(pad_top=-y, pad_left=-x),
                ofm_y=layer.ofm_y + y,
                ofm_x=layer.ofm_x + x,
            )
            pieces.append((replace(plan, layer=pixel), (0, 1)))
    return pieces


def _compute_in_chunks(
    plan: LayerPlan,
    tiling: Tiling,
    part: BlockRange,
    stripe: tuple[int, int],
    blocks: np.ndarray,
    state: StoredWeightsLowering[Config],
) -> None:
    """A reduction larger than the weight store: tile by tile, its weights streaming through for each."""
    layer, config = plan.layer, state.config
    boxes = reduction_chunks(blocks, _store_bytes(config) // 2)
    step_x = tiling.tile_groups * tiling.pixel_cores
    for first in range(part.first, part.last, tiling.block_cores):
        group = BlockRange(first, min(first + tiling.block_cores, part.last))
        for top, bottom in ranges(stripe[1] - stripe[0], tiling.tile_rows):
            rows = (stripe[0] + top, stripe[0] + bottom)
            for left, right in ranges(layer.ofm_shape.width, step_x):
                for number, box in enumerate(boxes):
                    part_of = blocks[
                        first // tiling.block_cores, slice(*box.rows), slice(*box.columns), slice(*box.bricks)
                    ]
                    weights = state.store_weights(plan, part_of.tobytes())
                    fields = compute_fields(plan, tiling, group, rows, box, config)
                    fields["width"] = right - left
                    fields["x_origin"] += left * layer.window.stride_x
                    fields["accumulate"] = int(number > 0)
                    fields["partial"] = int(number < len(boxes) - 1)
                    state.compute(plan, fields, rows, weights, ())
