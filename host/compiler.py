"""Graph -> program."""

from collections.abc import Sequence
from dataclasses import replace

from celosia.generators.chassis.command import COMMAND_BYTES, Region
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.family import SectionLowering
from celosia.generators.chassis.layer import MapShape
from celosia.generators.chassis.layer_plan import LayerPlan, Operand
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.placement import MemoryTensor, store_rows
from celosia.generators.chassis.schedule import encode_commands
from celosia.generators.families import family_of

from .graph import ABSENT, Graph, Tensor
from .layering.views import map_name
from .partition import Partition, Section
from .program import Binding, EngineSection, HostSection, Program, ProgramLayer, Snapshot
from .section_plan import SectionPlan, plan_graph
from .snapshots import place_snapshots

DEFAULT_MEMORY = MemoryModel()


def compile_graph(
    graph: Graph, config: EngineConfig, memory: MemoryModel = DEFAULT_MEMORY, *, keep_layers: bool = False
) -> Program:
    """Compile `graph` for an engine of `config` whose memory is about like `memory`; any other one will do.

    `keep_layers` makes every operator's result an output of its section, to find where results part.
    """
    plan = plan_graph(graph, config, keep_layers=keep_layers)
    split = plan.split
    sections: list[EngineSection | HostSection] = []
    for position, section in enumerate(split.sections):
        if section.on_engine:
            sections.append(_engine_section(plan.sections[position], config, memory))
        elif results := plan.results(graph, position, keep_layers):
            sections.append(_host_section(graph, split, section, results))
    crossing = _crossing(sections) | {*graph.inputs, *graph.outputs}
    crossing |= {split.root[index] for index in graph.outputs}
    return Program(
        model=graph.file,
        config=config,
        tensors={index: graph.tensor(index) for index in sorted(crossing)},
        inputs=graph.inputs,
        outputs=graph.outputs,
        views={index: split.root[index] for index in graph.outputs if split.root[index] != index},
        sections=tuple(sections),
    )


def _crossing(sections: Sequence[EngineSection | HostSection]) -> set[int]:
    """Tensors that enter or leave a section."""
    crossing: set[int] = set()
    for section in sections:
        if isinstance(section, HostSection):
            crossing.update(section.inputs + section.outputs)
        else:
            crossing.update(binding.tensor for binding in section.inputs + section.outputs)
    return crossing


def _host_section(graph: Graph, split: Partition, section: Section, outputs: Sequence[int]) -> HostSection:
    operators = [
        entry.operator
        for entry in section.assignments
        if not graph.tensor(split.root[entry.operator.outputs[0]]).is_constant
    ]
    written = {operator.outputs[0] for operator in operators}
    read = dict.fromkeys(index for operator in operators for index in operator.inputs if index != ABSENT)
    used = sorted({*read, *written})
    tensors = {index: _with_data(graph, split, index) for index in used}
    inputs = [index for index in read if index not in written and not tensors[index].is_constant]
    place = {index: number for number, index in enumerate(used)} | {ABSENT: ABSENT}
    return HostSection(
        graph=Graph(
            name=graph.name,
            file=graph.file,
            tensors=tuple(tensors.values()),
            operators=tuple(
                replace(
                    operator,
                    inputs=tuple(place[index] for index in operator.inputs),
                    outputs=tuple(place[index] for index in operator.outputs),
                )
                for operator in operators
            ),
            inputs=tuple(place[index] for index in inputs),
            outputs=tuple(place[index] for index in outputs),
        ),
        inputs=tuple(split.root[index] for index in inputs),
        outputs=tuple(outputs),
        reasons=tuple(reason for entry in section.assignments for reason in entry.reasons),
    )


def _with_data(graph: Graph, split: Partition, index: int) -> Tensor:
    """The tensor; with the elements of its root if that is a constant."""
    tensor, data = graph.tensor(index), graph.tensor(split.root[index]).data
    return tensor if data is None else replace(tensor, data=data.reshape(tensor.shape))


def _engine_section(plan: SectionPlan, config: EngineConfig, device_memory: MemoryModel) -> EngineSection:
    memory, sizes = plan.memory, plan.memory.sizes
    plans = [_layer_plan(index, plan) for index in range(len(plan.layers))]
    family = family_of(config)
    lowering = family.lowering(plans, plan.constants, config, device_memory)
    chains = plan.allocation.chains
    snapshots = place_snapshots(chains, config.profile_entries)
    for chain, taken in zip(chains, snapshots, strict=True):
        lowering.lower(plans[chain.first : chain.last], chain.order, taken)
        _store_assembled(chain.last - 1, plan, lowering)
    commands = encode_commands(lowering.commands, family.layouts, config.hash)
    content = plan.constants.to_bytes()
    return EngineSection(
        content=content + commands,
        queue_offset=len(content),
        queue_count=len(commands) // COMMAND_BYTES,
        input_bytes=sizes[Region.INPUT],
        output_bytes=sizes[Region.OUTPUT],
        scratch_bytes=sizes[Region.SCRATCH],
        inputs=tuple(Binding(index, memory.tensors[map_name(index)].offset) for index in plan.inputs),
        outputs=tuple(Binding(index, memory.tensors[map_name(index)].offset) for index in plan.outputs),
        layers=tuple(
            ProgramLayer(layer.name, layer.operator, layer.kind.value, layer.macs) for layer in plan.layers
        ),
        snapshots=tuple(Snapshot(*layers) for taken in snapshots for layers in taken.values()),
        predicted_cycles=0,
        peak_bricks=plan.allocation.peak,
    )


def _reshaped(tensor: MemoryTensor, shape: MapShape, row_pitch: int | None = None) -> MemoryTensor:
    return replace(tensor, shape=shape, row_pitch=row_pitch)


def _layer_plan(index: int, plan: SectionPlan) -> LayerPlan:
    layer, places, tensors = plan.layers[index], plan.allocation.layers[index], plan.memory.tensors
    streamed = None
    if places.streams_ifm:
        streamed = _reshaped(tensors[layer.ifm], layer.ifm_shape, layer.ifm_row_pitch)
    ifm = Operand(places.ifm, streamed)
    ifm2 = None
    if places.ifm2 is not None and layer.ifm2 is not None and layer.ifm2_shape is not None:
        source = tensors[layer.ifm2] if places.streams_ifm2 else None
        ifm2 = Operand(places.ifm2, None if source is None else _reshaped(source, layer.ifm2_shape))
    is_assembled = len(plan.uses[layer.ofm].writers) > 1
    return LayerPlan(
        layer=layer,
        index=index,
        ifm=ifm,
        ofm=Operand(places.ofm, None if is_assembled else tensors.get(layer.ofm)),
        stripes=places.stripes,
        ifm2=ifm2,
    )


def _store_assembled(index: int, plan: SectionPlan, lowering: SectionLowering) -> None:
    """A map that several layers write is stored once the last of them is done."""
    layer, places = plan.layers[index], plan.allocation.layers[index]
    writers = plan.uses[layer.ofm].writers
    if len(writers) > 1 and writers[-1] == index and layer.ofm in plan.memory.tensors:
        tensor = plan.memory.tensors[layer.ofm]
        height = tensor.shape.height
        bands = lowering.bands if sum(last - first for first, last in lowering.bands) == height else ()
        for first, last in bands or [(0, height)]:
            lowering.commands.append(store_rows(tensor, places.ofm, first, last, index))
