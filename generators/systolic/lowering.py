"""Layer -> commands of the systolic engine."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..chassis.layer import Layer, LayerKind
from ..chassis.layer_plan import LayerPlan
from ..chassis.placement import store_rows
from ..chassis.schedule import Span
from ..chassis.tiles.command_fields import BlockRange, compute_fields, operand_fields, whole_reduction
from ..chassis.tiles.commands import PARAMETER_BEATS, Destination, Mode
from ..chassis.tiles.parameter_content import parameter_content
from ..chassis.tiles.planes import passes_of, split
from ..chassis.tiles.tile_lowering import Stored, TileLowering, tables_of
from ..chassis.tiles.tiling import Tiling, output_blocks
from ..chassis.tiles.weight_tiles import weight_tiles
from .config import SystolicConfig
from .tiling import accumulator_tiles, choose_tiling

_MOST_BEATS = (1 << 20) - 1
"""Of a WEIGHTS."""


class Lowering(TileLowering[SystolicConfig]):
    """A section: its commands, and what carries over from layer to layer: where the ring of parameters stands."""

    def lower(
        self, plans: Sequence[LayerPlan], turns: Sequence[tuple[int, int]], snapshots: Container[int]
    ) -> None:
        """Append the commands of layers that run together; see `chassis.family.SectionLowering`."""
        layers = [_layer(plan, self.config) for plan in plans]
        if len(layers) > 1:
            _share(layers, self.config)
        for turn, (member, number) in enumerate(turns):
            _lower_stripe(layers[member], number, turn in snapshots, self)


@dataclass(slots=True)
class _Layer:
    """A layer while its stripes get their commands.

    Attributes:
        plan, tiling: its own.
        weights: its tiles, see `weight_tiles`; of 16-bit operands one for each pass of a step.
        groups: output blocks whose parameters are in their store together; a COMPUTE and an ACTIVATE each.
        keeps_parameters, keeps_tables: one load lasts for all stripes.
        parameters, tables: what is in their memories for it, `None` before the first load.
        loaded: rows of ifm and second operand that have been loaded.
    """

    plan: LayerPlan
    tiling: Tiling
    weights: npt.NDArray[np.int8] | None
    groups: list[BlockRange]
    keeps_parameters: bool
    keeps_tables: bool = True
    parameters: Stored | None = None
    tables: tuple[Span, ...] | None = None
    loaded: list[int] = field(default_factory=lambda: [0, 0])


def _layer(plan: LayerPlan, config: SystolicConfig) -> _Layer:
    layer = plan.layer
    heights = [high - low for low, high in plan.stripes]
    tiling = choose_tiling(layer, max(heights, key=heights.count), config)
    weights = _tiles_of_passes(layer, tiling, config) if tiling.mode is Mode.DENSE else None
    groups = _parameter_groups(plan, tiling, config)
    return _Layer(plan, tiling, weights, groups, len(groups) == 1)


def _tiles_of_passes(layer: Layer, tiling: Tiling, config: SystolicConfig) -> npt.NDArray[np.int8]:
    """As `weight_tiles`, with a byte of each weight for every pass behind the channel brick's dimension."""
    tiles, operands = weight_tiles(layer, tiling, config), operand_fields(layer)
    planes = split(tiles, 1 + operands["weights_int16"])
    parts = [planes[int(taken.weights_low)].view(np.int8) for taken in passes_of(operands)]
    return np.stack(parts, axis=4)


def _parameter_groups(plan: LayerPlan, tiling: Tiling, config: SystolicConfig) -> list[BlockRange]:
    """Output blocks in parts whose parameters fill at most half of their store, of whole block groups and bricks."""
    layer = plan.layer
    total = output_blocks(layer, config)
    if layer.requantization.is_uniform:
        return [BlockRange(0, total)]
    step = max(tiling.block_cores, config.brick_pieces)
    if layer.depth_multiplier > 1:
        step = max(step, layer.depth_multiplier * config.brick_pieces)
    size = max(step, config.parameter_beats // 2 // PARAMETER_BEATS // step * step)
    return [BlockRange(first, min(first + size, total)) for first in range(0, total, size)]


def _share(layers: Sequence[_Layer], config: SystolicConfig) -> None:
    """Layers in turns keep what they loaded only if the loads of all have room beside each other."""
    beats = [len(parameter_content(layer.plan.layer.requantization)) // 8 for layer in layers]
    fits = sum(beats) <= config.parameter_beats and all(layer.keeps_parameters for layer in layers)
    tables = [table for layer in layers for table in tables_of(layer.plan.layer)]
    for layer in layers:
        layer.keeps_parameters = fits
        layer.keeps_tables = all(tables.count(table) == 1 for table in tables_of(layer.plan.layer))


def _lower_stripe(member: _Layer, number: int, snapshot: bool, state: Lowering) -> None:
    plan, tiling = member.plan, member.tiling
    stripe = plan.stripes[number]
    if member.tables is None or not member.keeps_tables:
        member.tables = state.load_tables(plan)
    state.load_operands(plan, stripe, member.loaded)
    for group in member.groups:
        if member.parameters is None or not member.keeps_parameters:
            member.parameters = state.load_parameters(plan, group)
        ends = snapshot and group is member.groups[-1]
        state.activate(plan, tiling, group, stripe, member.parameters, member.tables, snapshot=ends)
        reduction = whole_reduction(plan.layer, tiling, state.config.brick_channels)
        fields = compute_fields(plan, tiling, group, stripe, reduction, state.config)
        fields |= _used(plan.layer, tiling, group, state.config)
        state.compute(plan, fields, stripe, None, member.tables)
        # Behind their COMPUTE: its queue must not wait for theirs, which may wait for room in the FIFO.
        if member.weights is not None:
            _stream_weights(member, group, stripe, state)
    if plan.ofm.memory is not None:
        layer = plan.layer
        first, last = layer.ofm_y + stripe[0], layer.ofm_y + stripe[1]
        state.commands.append(store_rows(plan.ofm.memory, plan.ofm.placement, first, last, plan.index))


def _used(layer: Layer, tiling: Tiling, group: BlockRange, config: SystolicConfig) -> dict[str, int]:
    """What counts of the array in a COMPUTE's last channel brick and block group; of a depthwise layer, one row."""
    if tiling.mode is not Mode.DENSE:
        return {}
    rows = 1
    if layer.kind is LayerKind.CONVOLUTION and layer.weights is not None:
        rows = (layer.ifm_channel + layer.weights.shape[3] - 1) % config.rows + 1
    last = group.first + (group.last - group.first - 1) // tiling.block_cores * tiling.block_cores
    columns = min(group.last * config.core_outputs, layer.outputs) - last * config.core_outputs
    return {"rows_used": rows, "columns_used": columns}


def _stream_weights(member: _Layer, group: BlockRange, stripe: tuple[int, int], state: Lowering) -> None:
    """The weights of a COMPUTE in the order in which it takes them: a block group once for each of its tiles."""
    assert member.weights is not None
    tiling, config = member.tiling, state.config
    tiles = accumulator_tiles(member.plan.layer.ofm_shape.width, stripe[1] - stripe[0], tiling)
    first, last = group.first // tiling.block_cores, -(-group.last // tiling.block_cores)
    contents = (
        [member.weights[first:last]]
        if tiles == 1
        else [member.weights[number] for number in range(first, last) for _ in range(tiles)]
    )
    most = _MOST_BEATS // config.row_beats * config.columns
    for content in contents:
        stream = content.tobytes()
        for low in range(0, len(stream), most):
            part = stream[low : low + most]
            rows = len(part) // config.columns
            state.weights_command(member.plan, part, Destination.WEIGHT_STORE, 0, (), {"words": rows})
