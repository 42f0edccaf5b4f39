"""Which operators run on the engine, and what each of its sections keeps where: fitted together.

An operator whose feature maps do not fit the unified buffer goes to the host, and the rest is planned again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from celosia.generators.chassis.command import Region
from celosia.generators.chassis.constants import CONSTANT_ALIGNMENT, ConstantPool
from celosia.generators.chassis.layer import Layer, MapShape
from celosia.generators.chassis.placement import MemoryTensor
from celosia.generators.mac_engine.config import MacEngineConfig

from .allocation import Allocation, AllocationError, MapUse, allocate
from .channel_split import split_channels
from .fusion import fuse
from .graph import ABSENT, Graph
from .layering.views import map_name
from .partition import Partition, Section, partition


@dataclass(slots=True)
class MemoryPlan:
    """Offsets of tensors in the regions of one engine section."""

    sizes: dict[Region, int] = field(default_factory=lambda: dict.fromkeys(Region, 0))
    tensors: dict[str, MemoryTensor] = field(default_factory=dict)

    def add(self, name: str, region: Region, shape: MapShape) -> MemoryTensor:
        """A new tensor at the end of `region`."""
        tensor = MemoryTensor(region, self.sizes[region], shape)
        self.sizes[region] += -(-shape.size // CONSTANT_ALIGNMENT) * CONSTANT_ALIGNMENT
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


def plan_graph(graph: Graph, config: MacEngineConfig, *, keep_layers: bool = False) -> GraphPlan:
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
    graph: Graph, split: Partition, position: int, config: MacEngineConfig, keep_layers: bool
) -> SectionPlan:
    section = split.sections[position]
    outputs = _results(graph, split, position, keep_layers)
    kept = {map_name(index) for index in outputs}
    single = [layer for assignment in section.assignments for layer in assignment.layers]
    layers = tuple(fuse(single, kept))
    memory, constants = MemoryPlan(), ConstantPool()
    inputs = []
    for index in dict.fromkeys(_read(split, section)):
        name, shape = map_name(index), split.shape(graph, index)
        data = graph.tensor(index).data
        if name not in _maps_read(layers) or name in _maps_written(layers):
            continue
        if data is None:
            inputs.append(index)
            memory.add(name, Region.INPUT, shape)
        else:
            memory.tensors[name] = MemoryTensor(Region.PROGRAM, constants.add(data.tobytes()), shape)
    while True:
        uses = _map_uses(graph, split, layers, memory, kept)
        try:
            allocation = allocate(layers, uses, config.buffer_bricks)
            break
        except AllocationError as error:
            parts = split_channels(layers, error.layer, kept)
            if parts is None:
                raise
            layers = tuple(parts)
    for index in outputs:
        memory.add(map_name(index), Region.OUTPUT, uses[map_name(index)].shape)
    for name in sorted(allocation.spilled - set(memory.tensors)):
        memory.add(name, Region.SCRATCH, uses[name].shape)
    return SectionPlan(layers, tuple(inputs), tuple(outputs), uses, allocation, memory, constants)


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
    graph: Graph, split: Partition, layers: Sequence[Layer], memory: MemoryPlan, outputs: set[str]
) -> dict[str, MapUse]:
    shapes = {map_name(index): split.shape(graph, index) for index in range(len(graph.tensors))}
    uses = {}
    for name in sorted(_maps_read(layers) | _maps_written(layers)):
        writers = tuple(index for index, layer in enumerate(layers) if layer.ofm == name)
        uses[name] = MapUse(
            shape=shapes[name] if name in shapes else layers[writers[0]].ofm_shape,
            in_memory=name in memory.tensors,
            to_memory=name in outputs,
            writers=writers,
            readers=tuple(index for index, layer in enumerate(layers) if name in (layer.ifm, layer.ifm2)),
        )
    return uses
