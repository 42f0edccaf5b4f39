"""Which operators run on the engine, and what each of its sections keeps where: fitted together.

An operator whose feature maps do not fit the unified buffer goes to the host, and the rest is planned again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from celosia.generators.chassis.command import Region
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.constants import CONSTANT_ALIGNMENT, ConstantPool
from celosia.generators.chassis.layer import Layer, MapShape, written_shape
from celosia.generators.chassis.placement import MemoryTensor
from celosia.generators.families import family_of

from .allocation import Allocation, AllocationError, MapUse, allocate
from .channel_split import split_channels
from .channel_unfolding import unfold_channels
from .column_folding import elements_beyond, fold_columns
from .fusion import fuse
from .graph import ABSENT, Graph
from .layering.memory_layout import stored_view, to_memory
from .layering.views import map_name
from .partition import Partition, Section, partition
from .row_bands import Band, can_be_cut, in_bands
from .unread_channels import leave_out_unread_channels


@dataclass(slots=True)
class MemoryPlan:
    """Offsets of tensors in the regions of one engine section."""

    element_bytes: int
    sizes: dict[Region, int] = field(default_factory=lambda: dict.fromkeys(Region, 0))
    tensors: dict[str, MemoryTensor] = field(default_factory=dict)

    def add(self, name: str, region: Region, shape: MapShape, beyond: int = 0) -> MemoryTensor:
        """A new tensor at the end of `region`, behind which so many elements may be read."""
        tensor = MemoryTensor(region, self.sizes[region], shape, self.element_bytes)
        size = (shape.size + beyond) * self.element_bytes
        self.sizes[region] += -(-size // CONSTANT_ALIGNMENT) * CONSTANT_ALIGNMENT
        self.tensors[name] = tensor
        return tensor


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One engine section, every map placed.

    Attributes:
        layers: in the order in which they run.
        inputs, outputs: tensors (by index in the graph) that come from and go to other sections.
        uses: what the layers do with each feature map.
        allocation: places in the unified buffer.
        memory: places in the regions.
        constants: feature maps that are constant.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    uses: Mapping[str, MapUse]
    allocation: Allocation
    memory: MemoryPlan
    constants: ConstantPool


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """The partition of a graph, and by position the plans of its engine sections."""

    split: Partition
    sections: Mapping[int, SectionPlan]

    def results(self, graph: Graph, position: int, keep_layers: bool) -> list[int]:
        """What the section at `position` computes for others."""
        return _results(graph, self.split, position, keep_layers)


def plan_graph(graph: Graph, config: EngineConfig, *, keep_layers: bool = False) -> GraphPlan:
    """Assign every operator and place every feature map; `keep_layers` makes every operator's result an output."""
    refused: dict[int, str] = {}
    while True:
        split = partition(graph, config, refused)
        plans: dict[int, SectionPlan] = {}
        for position, section in enumerate(split.sections):
            if section.on_engine:
                try:
                    plans[position] = _plan_section(graph, split, position, config, keep_layers)
                except AllocationError as error:
                    refused[error.layer.operator] = str(error)
        if all(position in plans for position, section in enumerate(split.sections) if section.on_engine):
            return GraphPlan(split, plans)


def _plan_section(
    graph: Graph, split: Partition, position: int, config: EngineConfig, keep_layers: bool
) -> SectionPlan:
    section = split.sections[position]
    outputs = _results(graph, split, position, keep_layers)
    kept = {map_name(index) for index in outputs}
    single = [layer for assignment in section.assignments for layer in assignment.layers]
    layers = leave_out_unread_channels(fuse(single, kept), kept, config.brick_channels)
    if family_of(config).folds_columns:
        computed = _maps_written(layers)
        given = {
            map_name(index)
            for index in _read(split, section)
            if map_name(index) not in computed and graph.tensor(index).data is None
        }
        layers = fold_columns(layers, given, config.brick_channels)
        layers = unfold_channels(layers, given, config.brick_channels)
    memory, constants = MemoryPlan(config.element_bytes), ConstantPool()
    inputs = []
    for index in dict.fromkeys(_read(split, section)):
        tensor = graph.tensor(index)
        name, shape, data = map_name(index), stored_view(tensor, config.brick_channels), tensor.data
        if name not in _maps_read(layers) or name in _maps_written(layers):
            continue
        if data is None:
            inputs.append(index)
            memory.add(name, Region.INPUT, shape, elements_beyond(layers, name))
        else:
            content = to_memory(data, tensor, config.brick_channels).tobytes()
            memory.tensors[name] = MemoryTensor(
                Region.PROGRAM, constants.add(content), shape, config.element_bytes
            )
    fitted = _fit(layers, memory, kept, config)
    uses = fitted.uses
    for index in outputs:
        memory.add(map_name(index), Region.OUTPUT, uses[map_name(index)].shape)
    spilled = fitted.allocation.spilled - {band.name for band in fitted.bands}
    for name in sorted(spilled | {band.whole for band in fitted.bands}):
        if name not in memory.tensors:
            memory.add(name, Region.SCRATCH, uses[name].shape)
    memory.tensors.update({band.name: band.within(memory.tensors[band.whole]) for band in fitted.bands})
    return SectionPlan(
        fitted.layers, tuple(inputs), tuple(outputs), uses, fitted.allocation, memory, constants
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Layers cut until all of them fit the buffer; `bands` are the maps that stand for parts of others."""

    layers: tuple[Layer, ...]
    bands: tuple[Band, ...]
    uses: Mapping[str, MapUse]
    allocation: Allocation


def _fit(layers: Sequence[Layer], memory: MemoryPlan, outputs: set[str], config: EngineConfig) -> _Fitted:
    """Place the maps of the layers, cutting what does not fit by channels or by rows.

    Raises:
        AllocationError: a layer does not fit however it is cut.
    """
    heights: dict[str, int] = {}
    cramped: set[int] = set()
    known_cycles: dict[tuple[Layer, int], int] = {}
    estimated_cycles = family_of(config).estimated_cycles

    def cycles(layer: Layer, rows: int) -> int:
        key = layer, rows
        if key not in known_cycles:
            known_cycles[key] = estimated_cycles(layer, rows, config)
        return known_cycles[key]

    while True:
        cut, bands = in_bands(layers, heights)
        uses = _map_uses(layers, cut, bands, memory, outputs)
        try:
            allocation = allocate(cut, uses, config.buffer, cycles, cramped)
            return _Fitted(tuple(cut), tuple(bands), uses, allocation)
        except AllocationError as error:
            if (parts := split_channels(layers, error.layer, outputs, config.brick_channels)) is not None:
                layers = parts
            elif (lower := _lower_bands(layers, bands, heights, error.assembled)) is not None:
                heights |= lower
            elif error.layer.operator not in cramped:
                cramped.add(error.layer.operator)
            else:
                raise


def _lower_bands(
    layers: Sequence[Layer], bands: Sequence[Band], heights: Mapping[str, int], assembled: Sequence[str]
) -> dict[str, int] | None:
    """Another height of the bands for one of the maps (or bands) `assembled`; None if all are at their lowest."""
    wholes = {band.name: band.whole for band in bands}
    for name in assembled:
        whole = wholes.get(name, name)
        height = heights.get(whole, 0)
        if height == 0 and can_be_cut(layers, whole):
            return {whole: written_shape(layers, whole).height}
        if height > 1:
            return {whole: -(-height // 2)}
    return None


def _written(split: Partition, section: Section) -> list[int]:
    """Tensors that a section computes; RESHAPE computes none."""
    written = [assignment.operator.outputs[0] for assignment in section.assignments]
    return [index for index in written if split.root[index] == index]


def _read(split: Partition, section: Section) -> list[int]:
    """Tensors whose bytes a section reads."""
    return [
        split.root[index]
        for assignment in section.assignments
        for index in assignment.operator.inputs
        if index != ABSENT
    ]


def _results(graph: Graph, split: Partition, position: int, keep_layers: bool) -> list[int]:
    """What a section computes for later sections or for the network's outputs."""
    written = _written(split, split.sections[position])
    if keep_layers:
        return written
    needed = {index for section in split.sections[position + 1 :] for index in _read(split, section)}
    needed.update(split.root[index] for index in graph.outputs)
    return [index for index in written if index in needed]


def _maps_read(layers: Sequence[Layer]) -> set[str]:
    return {name for layer in layers for name in (layer.ifm, layer.ifm2) if name is not None}


def _maps_written(layers: Sequence[Layer]) -> set[str]:
    return {layer.ofm for layer in layers}


def _map_uses(
    layers: Sequence[Layer],
    cut: Sequence[Layer],
    bands: Sequence[Band],
    memory: MemoryPlan,
    outputs: set[str],
) -> dict[str, MapUse]:
    """What the layers do with each map, once they are `cut` into those of `bands`."""
    names, wholes = {band.name for band in bands}, {band.whole for band in bands}
    written = _maps_written(layers) | _maps_written(cut)
    uses = {}
    for name in sorted(_maps_read(cut) | _maps_written(cut) | wholes):
        uses[name] = MapUse(
            shape=written_shape([*layers, *cut], name) if name in written else memory.tensors[name].shape,
            in_memory=name in memory.tensors or name in wholes,
            to_memory=name in outputs or name in names,
            writers=tuple(index for index, layer in enumerate(cut) if layer.ofm == name),
            readers=tuple(index for index, layer in enumerate(cut) if name in (layer.ifm, layer.ifm2)),
        )
    return uses
