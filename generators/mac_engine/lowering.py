"""Layer -> commands of the MAC engine."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..chassis.command import Opcode, Region
from ..chassis.constants import ConstantPool
from ..chassis.layer import Layer, LayerKind, MapShape, Window
from ..chassis.layer_plan import LayerPlan, needed_rows
from ..chassis.placement import MEMORY_SPAN_BYTES, load_rows, store_rows
from ..chassis.schedule import Command, Span, ring_spans
from .command_fields import (
    BlockRange,
    compute_fields,
    from_first_pixel,
    tiling_fields,
    whole_reduction,
)
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, Destination
from .passes import parameter_groups, ranges, reduction_chunks, step_bytes, weight_passes
from .tiling import Tiling, reads_weights
from .tiling_choice import choose_tiling
from .weight_code import CodedWeights, encode_if_better
from .weight_layout import parameter_content, weight_blocks

WEIGHT_STORE = "weight store"
PARAMETER_STORE = "parameter store"
OPERAND_TABLE = Span("operand table", 0, 1)
ACTIVATION_TABLE = Span("activation table", 0, 1)
EXPONENTIAL_TABLE = Span("exponential table", 0, 1)


@dataclass(slots=True)
class Lowering:
    """A section: its commands, and what carries over from layer to layer: where the rings stand.

    `pass_words`: for each layer of the section the most words of weights of a pass. `beat_cycles`: between two beats
    from memory.
    """

    config: MacEngineConfig
    constants: ConstantPool
    pass_words: Sequence[int]
    beat_cycles: float = 1.0
    weight_address: int = 0
    parameter_address: int = 0
    commands: list[Command] = field(default_factory=list)
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


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where something lies in a ring."""

    address: int
    spans: tuple[Span, ...]


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
    weights: _Stored | None = None
    parameters: _Stored | None = None
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
    tables = [table for layer in layers for table in _tables(layer.plan.layer)]
    for layer in layers:
        layer.keeps_weights = keeps_weights
        layer.keeps_parameters = keeps_parameters
        layer.keeps_tables = all(tables.count(table) == 1 for table in _tables(layer.plan.layer))


def _lower_stripe(member: _Layer, number: int, snapshot: bool, state: Lowering) -> None:
    plan, tiling, blocks, groups = member.plan, member.tiling, member.blocks, member.groups
    layer, stripe = plan.layer, plan.stripes[number]
    if member.tables is None or not member.keeps_tables:
        member.tables = _load_tables(plan, state)
    _load_operands(plan, stripe, member.loaded, state)
    for group in groups:
        whole = BlockRange(group[0].first, group[-1].last)
        # COMPUTE needs the first weights before ACTIVATE needs parameters.
        loads_weights = member.loads_weights
        if blocks is not None and loads_weights:
            member.weights = _load_weights(plan, tiling, group[0], blocks, state)
        if member.parameters is None or not member.keeps_parameters:
            member.parameters = _load_parameters(plan, whole, state)
        pieces = _pieces(plan, stripe)
        for piece, rows in pieces:
            ends = snapshot and group is groups[-1] and piece is pieces[-1][0]
            _activate(piece, tiling, whole, rows, member.parameters, member.tables, state, snapshot=ends)
            for part in group:
                if member.is_chunked and blocks is not None:
                    _compute_in_chunks(piece, tiling, part, rows, blocks, state)
                    continue
                if blocks is not None and loads_weights and part is not group[0]:
                    member.weights = _load_weights(plan, tiling, part, blocks, state)
                fields = compute_fields(
                    piece, tiling, part, rows, whole_reduction(layer, tiling), state.config
                )
                _compute(piece, fields, rows, member.weights, member.tables, state)
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


def _load_operands(plan: LayerPlan, stripe: tuple[int, int], loaded: list[int], state: Lowering) -> None:
    layer = plan.layer
    for which, operand in enumerate((plan.ifm, plan.ifm2)):
        if operand is None or operand.memory is None:
            continue
        first, last = needed_rows(layer, stripe) if which == 0 else stripe
        if which == 1 and layer.broadcast.rows:
            first, last = 0, 1
        first = max(first, loaded[which])
        if first < last:
            state.commands.append(load_rows(operand.memory, operand.placement, first, last, plan.index))
            loaded[which] = last


def _weights_command(
    plan: LayerPlan,
    state: Lowering,
    content: bytes,
    destination: Destination,
    address: int,
    spans: Sequence[Span],
    coding: Mapping[str, int] | None = None,
) -> None:
    offset = state.constants.add(content)
    state.commands.append(
        Command(
            Opcode.WEIGHTS,
            {
                "region": Region.PROGRAM,
                "offset": offset,
                "beats": len(content) // 8,
                "destination": destination,
                "address": address,
                **(coding or {}),
            },
            reads=(
                Span(
                    Region.PROGRAM.name,
                    offset // MEMORY_SPAN_BYTES,
                    -(-(offset + len(content)) // MEMORY_SPAN_BYTES),
                ),
            ),
            writes=tuple(spans),
            layer=plan.index,
        )
    )


def _tables(layer: Layer) -> dict[Destination, tuple[Span, bytes]]:
    """The tables that a layer looks up, each with its place and content."""
    tables = {}
    if layer.operand_tables is not None:
        tables[Destination.OPERAND_TABLE] = OPERAND_TABLE, layer.operand_tables.astype("<i4").tobytes()
    if layer.requantization.table is not None:
        tables[Destination.ACTIVATION_TABLE] = (
            ACTIVATION_TABLE,
            layer.requantization.table.astype("i1").tobytes(),
        )
    if layer.exponentials is not None:
        tables[Destination.EXPONENTIAL_TABLE] = EXPONENTIAL_TABLE, layer.exponentials.astype("<i4").tobytes()
    return tables


def _load_tables(plan: LayerPlan, state: Lowering) -> tuple[Span, ...]:
    tables = _tables(plan.layer)
    for destination, (span, content) in tables.items():
        _weights_command(plan, state, content, destination, 0, (span,))
    return tuple(span for span, _ in tables.values())


def _load_parameters(plan: LayerPlan, part: BlockRange, state: Lowering) -> _Stored:
    config = state.config
    per_eight = BRICK_CHANNELS // config.core_outputs
    blocks = slice(part.first // per_eight, -(-part.last // per_eight))
    content = parameter_content(plan.layer.requantization, blocks)
    address = state.parameter_address
    spans = ring_spans(PARAMETER_STORE, address, len(content) // 8, config.parameter_beats)
    _weights_command(plan, state, content, Destination.PARAMETER_STORE, address, spans)
    state.parameter_address = (address + len(content) // 8) % config.parameter_beats
    return _Stored(address, spans)


def _store_weights(plan: LayerPlan, content: bytes, state: Lowering) -> _Stored:
    config = state.config
    address = state.weight_address
    words = len(content) // 16
    spans = ring_spans(WEIGHT_STORE, address, words, config.weight_words)
    if content not in state.coded:
        state.coded[content] = encode_if_better(content, state.beat_cycles)
    coded = state.coded[content]
    stored, coding = (content, None) if coded is None else (coded.content, coded.fields)
    _weights_command(plan, state, stored, Destination.WEIGHT_STORE, 2 * address, spans, coding)
    state.weight_address = (address + words) % config.weight_words
    return _Stored(address, spans)


def _load_weights(
    plan: LayerPlan, tiling: Tiling, part: BlockRange, blocks: np.ndarray, state: Lowering
) -> _Stored:
    groups = slice(part.first // tiling.block_cores, -(-part.last // tiling.block_cores))
    return _store_weights(plan, blocks[groups].tobytes(), state)


def _activate(
    plan: LayerPlan,
    tiling: Tiling,
    part: BlockRange,
    stripe: tuple[int, int],
    parameters: _Stored,
    table_spans: Sequence[Span],
    state: Lowering,
    *,
    snapshot: bool,
) -> None:
    layer, placement = plan.layer, plan.ofm.placement
    requantization = layer.requantization
    first_brick = (layer.ofm_channel + part.first * state.config.core_outputs) // BRICK_CHANNELS
    fields = placement.fields("ofm_", layer.ofm_y + stripe[0])
    fields["ofm_row"] = (fields["ofm_row"] + first_brick * placement.shape.width + layer.ofm_x) & 0xFFFF
    if fields["ofm_ring_size"]:
        fields["ofm_ring_end"] += first_brick * placement.shape.width + layer.ofm_x
    height = stripe[1] - stripe[0]
    softmax_lanes = 0
    if layer.kind is LayerKind.SOFTMAX:
        softmax_lanes = (layer.ofm_shape.channels - 1) % BRICK_CHANNELS + 1
    state.commands.append(
        Command(
            Opcode.ACTIVATE,
            {
                **tiling_fields(layer, tiling, height, layer.ofm_shape.width, part.last - part.first),
                **fields,
                "parameter_address": parameters.address,
                "parameter_uniform": int(requantization.is_uniform),
                "uniform_scale": int(requantization.has_uniform_scale),
                "zero_point": requantization.zero_point,
                "minimum": requantization.minimum,
                "maximum": requantization.maximum,
                "use_table": int(requantization.table is not None),
                "softmax_lanes": softmax_lanes,
                "snapshot": int(snapshot),
            },
            reads=(*parameters.spans, *(span for span in table_spans if span != OPERAND_TABLE)),
            writes=placement.spans(layer.ofm_y + stripe[0], layer.ofm_y + stripe[1]),
            layer=plan.index,
        )
    )


def _compute(
    plan: LayerPlan,
    fields: dict[str, int],
    stripe: tuple[int, int],
    weights: _Stored | None,
    table_spans: Sequence[Span],
    state: Lowering,
) -> None:
    layer = plan.layer
    fields = from_first_pixel(fields)
    reads = list(plan.ifm.placement.spans(*needed_rows(layer, stripe)))
    if plan.ifm2 is not None:
        rows = (0, 1) if layer.broadcast.rows else stripe
        reads += plan.ifm2.placement.spans(*rows)
    reads += [span for span in table_spans if span == OPERAND_TABLE]
    if weights is not None:
        reads += weights.spans
        fields = {**fields, "weight_address": weights.address}
    state.commands.append(Command(Opcode.COMPUTE, fields, reads=tuple(reads), layer=plan.index))


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
                    _compute(plan, fields, rows, weights, (), state)
