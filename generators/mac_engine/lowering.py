"""Layer -> commands of the MAC engine."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..chassis.layer import LayerKind, MapShape, Window
from ..chassis.layer_plan import LayerPlan
from ..chassis.placement import store_rows
from ..chassis.schedule import Span, ring_spans
from ..chassis.tiles.command_fields import (
    BlockRange,
    compute_fields,
    whole_reduction,
)
from ..chassis.tiles.parameter_content import parameter_content
from ..chassis.tiles.tile_lowering import Stored, TileLowering, tables_of
from ..chassis.tiles.tiling import Tiling, reads_weights
from .config import MacEngineConfig
from .isa import Destination
from .passes import parameter_groups, ranges, reduction_chunks, step_bytes, weight_passes
from .tiling_choice import choose_tiling
from .weight_code import CodedWeights, encode_if_better
from .weight_layout import weight_blocks

WEIGHT_STORE = "weight store"


@dataclass(slots=True)
class Lowering(TileLowering[MacEngineConfig]):
    """A section: its commands, and what carries over from layer to layer: where the rings stand.

    `pass_words`: for each layer of the section the most words of weights of a pass. `beat_cycles`: between two beats
    from memory.
    """

    pass_words: Sequence[int]
    beat_cycles: float = 1.0
    weight_address: int = 0
    coded: dict[bytes, CodedWeights | None] = field(default_factory=dict)
    """What raw weights are coded as, None for those that stay raw."""

    def lower(
        self, plans: Sequence[LayerPlan], turns: Sequence[tuple[int, int]], snapshots: Container[int]
    ) -> None:
        """Append the commands of layers that run together; see `chassis.family.SectionLowering`."""
        layers = [_layer(plan, self.pass_words[plan.index], self.config) for plan in plans]
        if len(layers) > 1:
            _share(layers, self.config)
        for turn, (member, number) in enumerate(turns):
            _lower_stripe(layers[member], number, turn in snapshots, self)


@dataclass(slots=True)
class _Layer:
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


def _layer(plan: LayerPlan, pass_words: int, config: MacEngineConfig) -> _Layer:
    layer = plan.layer
    heights = [high - low for low, high in plan.stripes]
    tiling = choose_tiling(layer, max(heights, key=heights.count), config)
    blocks = weight_blocks(layer, tiling, config) if reads_weights(tiling.mode) else None
    passes = weight_passes(layer, tiling, blocks, pass_words, config)
    groups = parameter_groups(passes, tiling, layer, config)
    is_chunked = blocks is not None and step_bytes(tiling, blocks, config) > config.weight_kib * 1024
    return _Layer(
        plan, tiling, blocks, groups, is_chunked, len(passes) == 1 and not is_chunked, len(groups) == 1
    )


def _share(layers: Sequence[_Layer], config: MacEngineConfig) -> None:
    """Layers in turns keep what they loaded only if the loads of all have room beside each other."""
    weights_fit = sum(layer.weight_bytes for layer in layers) <= config.weight_kib * 1024
    beats = [len(parameter_content(layer.plan.layer.requantization)) // 8 for layer in layers]
    parameters_fit = sum(beats) <= config.parameter_beats
    keeps_weights = weights_fit and all(layer.keeps_weights for layer in layers)
    keeps_parameters = parameters_fit and all(layer.keeps_parameters for layer in layers)
    tables = [table for layer in layers for table in tables_of(layer.plan.layer)]
    for layer in layers:
        layer.keeps_weights = keeps_weights
        layer.keeps_parameters = keeps_parameters
        layer.keeps_tables = all(tables.count(table) == 1 for table in tables_of(layer.plan.layer))


def _lower_stripe(member: _Layer, number: int, snapshot: bool, state: Lowering) -> None:
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
            member.weights = _load_weights(plan, tiling, group[0], blocks, state)
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
                    member.weights = _load_weights(plan, tiling, part, blocks, state)
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


def _store_weights(plan: LayerPlan, content: bytes, state: Lowering) -> Stored:
    config = state.config
    address = state.weight_address
    words = len(content) // 16
    spans = ring_spans(WEIGHT_STORE, address, words, config.weight_words)
    if content not in state.coded:
        state.coded[content] = encode_if_better(content, state.beat_cycles)
    coded = state.coded[content]
    stored, coding = (content, None) if coded is None else (coded.content, coded.fields)
    state.weights_command(plan, stored, Destination.WEIGHT_STORE, 2 * address, spans, coding)
    state.weight_address = (address + words) % config.weight_words
    return Stored(address, spans)


def _load_weights(
    plan: LayerPlan, tiling: Tiling, part: BlockRange, blocks: np.ndarray, state: Lowering
) -> Stored:
    groups = slice(part.first // tiling.block_cores, -(-part.last // tiling.block_cores))
    return _store_weights(plan, blocks[groups].tobytes(), state)


def _compute_in_chunks(
    plan: LayerPlan,
    tiling: Tiling,
    part: BlockRange,
    stripe: tuple[int, int],
    blocks: np.ndarray,
    state: Lowering,
) -> None:
    """A reduction larger than the weight store: tile by tile, its weights streaming through for each."""
    layer, config = plan.layer, state.config
    boxes = reduction_chunks(blocks, config.weight_kib * 512)
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
                    weights = _store_weights(plan, part_of.tobytes(), state)
                    fields = compute_fields(plan, tiling, group, rows, box, config)
                    fields["width"] = right - left
                    fields["x_origin"] += left * layer.window.stride_x
                    fields["accumulate"] = int(number > 0)
                    fields["partial"] = int(number < len(boxes) - 1)
                    state.compute(plan, fields, rows, weights, ())
