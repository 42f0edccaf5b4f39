"""Layer -> commands of the MAC engine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..chassis.command import Opcode, Region
from ..chassis.constants import ConstantPool
from ..chassis.layer import Layer, LayerKind, MapShape, Window
from ..chassis.placement import MEMORY_SPAN_BYTES, load_rows, store_rows
from ..chassis.schedule import Command, Span, ring_spans
from .command_fields import (
    BlockRange,
    LayerPlan,
    ReductionBox,
    compute_fields,
    from_first_pixel,
    tiling_fields,
    whole_reduction,
)
from .config import MacEngineConfig
from .isa import BRICK_CHANNELS, PARAMETER_BEATS, Destination
from .tiling import (
    Tiling,
    blocks_per_brick,
    choose_tiling,
    output_blocks,
    reads_weights,
)
from .weight_code import CodedWeights, encode_if_better
from .weight_layout import parameter_blocks, weight_blocks

WEIGHT_STORE = "weight store"
PARAMETER_STORE = "parameter store"
OPERAND_TABLE = Span("operand table", 0, 1)
ACTIVATION_TABLE = Span("activation table", 0, 1)
EXPONENTIAL_TABLE = Span("exponential table", 0, 1)
_OPERAND_TABLE_BEATS = 256
_ACTIVATION_TABLE_BEATS = 32


@dataclass(slots=True)
class Lowering:
    """What carries over from layer to layer: where the rings of weights and parameters stand."""

    config: MacEngineConfig
    constants: ConstantPool
    weight_address: int = 0
    parameter_address: int = 0
    commands: list[Command] = field(default_factory=list)
    coded: dict[bytes, CodedWeights | None] = field(default_factory=dict)
    """What raw weights are coded as, None for those that stay raw."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where something lies in a ring."""

    address: int
    spans: tuple[Span, ...]


def lower(plan: LayerPlan, state: Lowering) -> None:
    """Append the commands of one layer to `state.commands`."""
    layer, config = plan.layer, state.config
    tiling = choose_tiling(layer, plan.stripes[0][1] - plan.stripes[0][0], config)
    table_spans = _load_tables(plan, state)
    blocks = weight_blocks(layer, tiling, config) if reads_weights(tiling.mode) else None
    passes = _passes(layer, tiling, blocks, config)
    is_chunked = blocks is not None and _step_bytes(tiling, blocks, config) > config.weight_kib * 1024
    groups = _groups(passes, tiling, layer, config)
    keeps_parameters = len(groups) == 1
    keeps_weights = len(passes) == 1 and not is_chunked
    parameters: _Stored | None = None
    weights: _Stored | None = None
    loaded = [0, 0]
    for stripe in plan.stripes:
        _load_operands(plan, stripe, loaded, state)
        for group in groups:
            whole = BlockRange(group[0].first, group[-1].last)
            if parameters is None or not keeps_parameters:
                parameters = _load_parameters(plan, whole, state)
            pieces = _pieces(plan, stripe)
            for piece, rows in pieces:
                is_last = (stripe, group) == (plan.stripes[-1], groups[-1]) and piece is pieces[-1][0]
                _activate(piece, tiling, whole, rows, parameters, table_spans, state, snapshot=is_last)
                for part in group:
                    if is_chunked and blocks is not None:
                        _compute_in_chunks(piece, tiling, part, rows, blocks, state)
                        continue
                    if blocks is not None and (weights is None or not keeps_weights):
                        weights = _load_weights(plan, tiling, part, blocks, state)
                    fields = compute_fields(piece, tiling, part, rows, whole_reduction(layer, tiling), config)
                    _compute(piece, fields, rows, weights, table_spans, state)
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


def needed_rows(layer: Layer, stripe: tuple[int, int]) -> tuple[int, int]:
    """Ifm rows first..last-1, clipped to the map, that a stripe of the ofm reads."""
    window = layer.window
    first = stripe[0] * window.stride_y - window.pad_top
    last = (stripe[1] - 1) * window.stride_y - window.pad_top + window.span_y
    return max(first, 0), min(last, layer.ifm_shape.height)


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


def _load_tables(plan: LayerPlan, state: Lowering) -> tuple[Span, ...]:
    spans: list[Span] = []
    layer = plan.layer
    if layer.operand_tables is not None:
        content = layer.operand_tables.astype("<i4").tobytes()
        _weights_command(plan, state, content, Destination.OPERAND_TABLE, 0, (OPERAND_TABLE,))
        spans.append(OPERAND_TABLE)
    if layer.requantization.table is not None:
        content = layer.requantization.table.astype("i1").tobytes()
        _weights_command(plan, state, content, Destination.ACTIVATION_TABLE, 0, (ACTIVATION_TABLE,))
        spans.append(ACTIVATION_TABLE)
    if layer.exponentials is not None:
        content = layer.exponentials.astype("<i4").tobytes()
        _weights_command(plan, state, content, Destination.EXPONENTIAL_TABLE, 0, (EXPONENTIAL_TABLE,))
        spans.append(EXPONENTIAL_TABLE)
    return tuple(spans)


def _step(tiling: Tiling, config: MacEngineConfig) -> int:
    """Output blocks that a pass must keep together: those of a block group, and those of a brick."""
    return max(tiling.block_cores, BRICK_CHANNELS // config.core_outputs)


def _step_bytes(tiling: Tiling, blocks: np.ndarray, config: MacEngineConfig) -> int:
    """Their weights."""
    return blocks[0].nbytes * -(-_step(tiling, config) // tiling.block_cores)


def _passes(
    layer: Layer, tiling: Tiling, blocks: np.ndarray | None, config: MacEngineConfig
) -> list[BlockRange]:
    """Cut the output blocks so that a pass, one COMPUTE, fills at most half of either ring if a block group allows it.

    A pass starts on a whole ifm brick, or lies within one.
    """
    total = output_blocks(layer, config)
    per_eight = BRICK_CHANNELS // config.core_outputs
    step = _step(tiling, config)
    size = total
    if blocks is not None:
        size = min(size, config.weight_kib * 512 // blocks[0].nbytes * tiling.block_cores)
    if not layer.requantization.is_uniform:
        size = min(size, config.parameter_beats // 2 // PARAMETER_BEATS * per_eight)
    if size < total:
        size = max(step, size // step * step)
    per_brick = blocks_per_brick(layer, config)
    passes: list[BlockRange] = []
    first = 0
    while first < total:
        last = min(first + size, total)
        if per_brick:
            brick_end = (first // per_brick + 1) * per_brick
            if first % per_brick:
                last = min(last, brick_end)
            elif brick_end <= last < total:
                last = last // per_brick * per_brick
        passes.append(BlockRange(first, last))
        first = last
    return passes


def _groups(
    passes: Sequence[BlockRange], tiling: Tiling, layer: Layer, config: MacEngineConfig
) -> list[list[BlockRange]]:
    """Passes that one ACTIVATE drains: as many as fill at most half of the parameter store."""
    limit = config.parameter_beats // 2 // PARAMETER_BEATS * (BRICK_CHANNELS // config.core_outputs)
    groups: list[list[BlockRange]] = []
    for part in passes:
        fits = groups and (layer.requantization.is_uniform or part.last - groups[-1][0].first <= limit)
        # Only whole block groups may lie in front of others.
        if groups and fits and (part.first - groups[-1][0].first) % tiling.block_cores == 0:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _load_parameters(plan: LayerPlan, part: BlockRange, state: Lowering) -> _Stored:
    config = state.config
    blocks = parameter_blocks(plan.layer.requantization)
    if not plan.layer.requantization.is_uniform:
        per_eight = BRICK_CHANNELS // config.core_outputs
        blocks = blocks[part.first // per_eight : -(-part.last // per_eight)]
    content = blocks.tobytes()
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
        state.coded[content] = encode_if_better(content)
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


def _ranges(total: int, size: int) -> Iterator[tuple[int, int]]:
    for low in range(0, total, size):
        yield low, min(low + size, total)


def _chunks(blocks: np.ndarray, limit: int) -> list[ReductionBox]:
    """Cut the reduction of one block group into boxes of at most `limit` bytes of weights, in loop order."""
    rows, columns, bricks = blocks.shape[1:4]
    brick = blocks[0, 0, 0, 0].nbytes
    if brick * bricks * columns <= limit:
        size = limit // (brick * bricks * columns)
        return [ReductionBox(part, (0, columns), (0, bricks)) for part in _ranges(rows, size)]
    if brick * bricks <= limit:
        size = limit // (brick * bricks)
        return [
            ReductionBox((row, row + 1), part, (0, bricks))
            for row in range(rows)
            for part in _ranges(columns, size)
        ]
    return [
        ReductionBox((row, row + 1), (column, column + 1), part)
        for row in range(rows)
        for column in range(columns)
        for part in _ranges(bricks, limit // brick)
    ]


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
    boxes = _chunks(blocks, config.weight_kib * 512)
    step_x = tiling.tile_groups * tiling.pixel_cores
    for first in range(part.first, part.last, tiling.block_cores):
        group = BlockRange(first, min(first + tiling.block_cores, part.last))
        for top, bottom in _ranges(stripe[1] - stripe[0], tiling.tile_rows):
            rows = (stripe[0] + top, stripe[0] + bottom)
            for left, right in _ranges(layer.ofm_shape.width, step_x):
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
