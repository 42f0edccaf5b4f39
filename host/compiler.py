"""Graph -> program."""

from collections.abc import Sequence

from celosia.generators.chassis.command import COMMAND_BYTES, Region
from celosia.generators.chassis.constants import CONSTANT_ALIGNMENT, ConstantPool
from celosia.generators.chassis.layer import Layer, MapShape
from celosia.generators.chassis.placement import MemoryTensor, store_rows
from celosia.generators.chassis.schedule import encode_commands
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import LAYOUTS
from celosia.generators.mac_engine.lowering import LayerPlan, Lowering, Operand, lower

from .allocation import Allocation, AllocationError, LayerPlaces, MapUse, allocate
from .errors import ModelError
from .graph import ABSENT, Graph
from .layering.views import map_name
from .partition import Partition, Section, partition
from .program import Binding, EngineSection, HostSection, Program, ProgramLayer


def compile_graph(graph: Graph, config: MacEngineConfig, *, keep_layers: bool = False) -> Program:
    """Compile `graph` for an engine of `config`.

    `keep_layers` makes every operator's result an output of its section, to find where results part.

    Raises:
        ModelError: a layer that does not fit the unified buffer.
    """
    split = partition(graph, config)
    sections = []
    for index, section in enumerate(split.sections):
        if section.on_engine:
            try:
                sections.append(_engine_section(graph, split, index, config, keep_layers))
            except AllocationError as error:
                raise ModelError(graph.file, str(error)) from error
        else:
            sections.append(_host_section(graph, split, index))
    crossing = {
        index
        for section in sections
        for index in (
            section.inputs + section.outputs
            if isinstance(section, HostSection)
            else tuple(binding.tensor for binding in section.inputs + section.outputs)
        )
    } | {*graph.inputs, *graph.outputs}
    return Program(
        model=graph.file,
        config=config,
        tensors={index: graph.tensor(index) for index in sorted(crossing)},
        inputs=graph.inputs,
        outputs=graph.outputs,
        sections=tuple(sections),
    )


def _written(section: Section) -> list[int]:
    return [assignment.operator.outputs[0] for assignment in section.assignments]


def _read(section: Section) -> list[int]:
    return [
        index for assignment in section.assignments for index in assignment.operator.inputs if index != ABSENT
    ]


def _needed_later(graph: Graph, split: Partition, position: int) -> set[int]:
    """Tensors that later sections or the network's outputs need."""
    later = {index for section in split.sections[position + 1 :] for index in _read(section)}
    return later | set(graph.outputs)


def _host_section(graph: Graph, split: Partition, position: int) -> HostSection:
    section = split.sections[position]
    written = _written(section)
    inputs = tuple(
        dict.fromkeys(
            index for index in _read(section) if index not in written and not graph.tensor(index).is_constant
        )
    )
    outputs = tuple(index for index in written if index in _needed_later(graph, split, position))
    used = sorted({*_read(section), *written})
    place = {index: number for number, index in enumerate(used)} | {ABSENT: ABSENT}
    return HostSection(
        graph=Graph(
            name=graph.name,
            file=graph.file,
            tensors=tuple(graph.tensor(index) for index in used),
            operators=tuple(
                type(entry.operator)(
                    entry.operator.kind,
                    entry.operator.index,
                    tuple(place[index] for index in entry.operator.inputs),
                    tuple(place[index] for index in entry.operator.outputs),
                    entry.operator.attributes,
                )
                for entry in section.assignments
            ),
            inputs=tuple(place[index] for index in inputs),
            outputs=tuple(place[index] for index in outputs or written[-1:]),
        ),
        inputs=inputs,
        outputs=outputs or tuple(written[-1:]),
        reasons=tuple(reason for entry in section.assignments for reason in entry.reasons),
    )


class _MemoryPlan:
    """Offsets of tensors in the regions of one engine section."""

    def __init__(self) -> None:
        self.sizes = dict.fromkeys(Region, 0)
        self.tensors: dict[str, MemoryTensor] = {}

    def add(self, name: str, region: Region, shape: MapShape) -> MemoryTensor:
        """A new tensor at the end of `region`."""
        tensor = MemoryTensor(region, self.sizes[region], shape)
        self.sizes[region] += -(-shape.size // CONSTANT_ALIGNMENT) * CONSTANT_ALIGNMENT
        self.tensors[name] = tensor
        return tensor


def _engine_section(
    graph: Graph, split: Partition, position: int, config: MacEngineConfig, keep_layers: bool
) -> EngineSection:
    section = split.sections[position]
    layers = [layer for assignment in section.assignments for layer in assignment.layers]
    written = {map_name(split.root[index]) for index in _written(section)}
    needed = set(_written(section)) if keep_layers else _needed_later(graph, split, position)
    outputs = [
        index for index in _written(section) if index in needed and map_name(split.root[index]) in written
    ]
    external = dict.fromkeys(
        split.root[index]
        for assignment in section.assignments
        for index in assignment.operator.inputs
        if index != ABSENT
        and map_name(split.root[index]) in _maps_read(layers)
        and map_name(split.root[index]) not in _maps_written(layers)
    )
    memory = _MemoryPlan()
    constants = ConstantPool()
    inputs = []
    for index in external:
        name, shape = map_name(index), split.shape(graph, index)
        data = graph.tensor(index).data
        if data is None:
            inputs.append(Binding(index, memory.add(name, Region.INPUT, shape).offset))
        else:
            memory.tensors[name] = MemoryTensor(Region.PROGRAM, constants.add(data.tobytes()), shape)
    output_maps = {map_name(split.root[index]) for index in outputs}
    uses = _map_uses(graph, split, layers, memory, output_maps)
    allocation = allocate(layers, uses, config.buffer_bricks)
    bindings = []
    for index in outputs:
        name = map_name(split.root[index])
        if name not in memory.tensors:
            memory.add(name, Region.OUTPUT, uses[name].shape)
        bindings.append(Binding(index, memory.tensors[name].offset))
    for name in sorted(allocation.spilled - set(memory.tensors)):
        memory.add(name, Region.SCRATCH, uses[name].shape)
    state = Lowering(config, constants)
    for index, (layer, places) in enumerate(zip(layers, allocation.layers, strict=True)):
        lower(_plan(index, layer, places, allocation, uses, memory), state)
        _store_assembled(index, layer, places, uses, memory, state)
    commands = encode_commands(state.commands, LAYOUTS, config.hash)
    content = constants.to_bytes()
    return EngineSection(
        content=content + commands,
        queue_offset=len(content),
        queue_count=len(commands) // COMMAND_BYTES,
        input_bytes=memory.sizes[Region.INPUT],
        output_bytes=memory.sizes[Region.OUTPUT],
        scratch_bytes=memory.sizes[Region.SCRATCH],
        inputs=tuple(inputs),
        outputs=tuple(bindings),
        layers=tuple(
            ProgramLayer(layer.name, layer.operator, layer.kind.value, layer.macs, 0) for layer in layers
        ),
        predicted_cycles=0,
        peak_bricks=allocation.peak,
    )


def _maps_read(layers: Sequence[Layer]) -> set[str]:
    return {name for layer in layers for name in (layer.ifm, layer.ifm2) if name is not None}


def _maps_written(layers: Sequence[Layer]) -> set[str]:
    return {layer.ofm for layer in layers}


def _map_uses(
    graph: Graph, split: Partition, layers: Sequence[Layer], memory: _MemoryPlan, outputs: set[str]
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


def _reshaped(tensor: MemoryTensor, shape: MapShape) -> MemoryTensor:
    return MemoryTensor(tensor.region, tensor.offset, shape)


def _plan(
    index: int,
    layer: Layer,
    places: LayerPlaces,
    allocation: Allocation,
    uses: dict[str, MapUse],
    memory: _MemoryPlan,
) -> LayerPlan:
    ifm = Operand(
        places.ifm, _reshaped(memory.tensors[layer.ifm], layer.ifm_shape) if places.streams_ifm else None
    )
    ifm2 = None
    if places.ifm2 is not None and layer.ifm2 is not None and layer.ifm2_shape is not None:
        source = memory.tensors.get(layer.ifm2) if places.streams_ifm2 else None
        ifm2 = Operand(places.ifm2, None if source is None else _reshaped(source, layer.ifm2_shape))
    single = len(uses[layer.ofm].writers) == 1
    return LayerPlan(
        layer=layer,
        index=index,
        ifm=ifm,
        ofm=Operand(places.ofm, memory.tensors.get(layer.ofm) if single else None),
        stripes=places.stripes,
        ifm2=ifm2,
    )


def _store_assembled(
    index: int,
    layer: Layer,
    places: LayerPlaces,
    uses: dict[str, MapUse],
    memory: _MemoryPlan,
    state: Lowering,
) -> None:
    """A map that several layers write is stored once the last of them is done."""
    writers = uses[layer.ofm].writers
    if len(writers) > 1 and writers[-1] == index and layer.ofm in memory.tensors:
        tensor = memory.tensors[layer.ofm]
        state.commands.append(store_rows(tensor, places.ofm, 0, tensor.shape.height, index))
