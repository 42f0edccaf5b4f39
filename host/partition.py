"""Which operators run on the engine and which on the host, and why.

A graph becomes a sequence of sections: runs of consecutive operators on one side. RESHAPE moves no data: it
gives its ifm's feature map a second name and belongs to either side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.layer import Layer
from celosia.generators.families import family_of

from .graph import Graph, Operator
from .layering.layers import BUILDERS, EngineRefusal, data_operands, layers_of
from .layering.planes import in_planes
from .layering.turning import can_turn, turned
from .layering.views import map_name

HOST_KINDS = {
    "QUANTIZE": "QUANTIZE runs on the host for now",
    "DEQUANTIZE": "DEQUANTIZE runs on the host for now",
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where one operator runs: `reasons` is empty on the engine, else every reason why it runs on the host.

    `layers` is what the engine runs; empty for RESHAPE.
    """

    operator: Operator
    layers: tuple[Layer, ...]
    reasons: tuple[str, ...]

    @property
    def on_engine(self) -> bool:
        """Whether the engine runs it."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Section:
    """Consecutive operators on one side."""

    on_engine: bool
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """The sections in order, and for every tensor the tensor whose bytes it shares (RESHAPE)."""

    sections: tuple[Section, ...]
    root: dict[int, int]

    @property
    def assignments(self) -> list[Assignment]:
        """Those of all sections."""
        return [assignment for section in self.sections for assignment in section.assignments]


def partition(
    graph: Graph, config: EngineConfig, refused: Mapping[int, str] = MappingProxyType({})
) -> Partition:
    """Assign every operator of `graph`; `refused` holds reasons against operators, by `Operator.index`."""
    root = {index: index for index in range(len(graph.tensors))}
    assignments = []
    for operator in graph.operators:
        if operator.kind == "RESHAPE":
            root[operator.outputs[0]] = root[operator.inputs[0]]
        if operator.index in refused:
            assignments.append(Assignment(operator, (), (refused[operator.index],)))
        else:
            assignments.append(_assign(graph, operator, root, config))
    return Partition(tuple(_sections(graph, assignments)), root)


def _assign(graph: Graph, operator: Operator, root: dict[int, int], config: EngineConfig) -> Assignment:
    if operator.kind == "RESHAPE":
        ifm = graph.tensor(operator.inputs[0])
        bits = ifm.fixed_point.bits if ifm.fixed_point is not None else 8 if ifm.dtype == "int8" else 0
        reason = () if bits == config.element_bits else ("ifm must have the engine's operands to be on it",)
        return Assignment(operator, (), reason)
    if operator.kind in HOST_KINDS or operator.kind not in BUILDERS:
        reason = HOST_KINDS.get(operator.kind, f"{operator.kind} has no layers")
        return Assignment(operator, (), (reason,))
    maps = [map_name(root[index]) for index in data_operands(operator)]
    lying = graph.tensor(root[operator.inputs[0]]).shape
    try:
        layers = layers_of(graph, operator, maps, map_name(operator.outputs[0]), config.brick_channels)
        layers = in_planes(layers, graph.bind(operator), lying, config.brick_channels)
    except EngineRefusal as refusal:
        return Assignment(operator, (), tuple(refusal.reasons))
    if can_turn(layers, config.buffer):
        layers = [turned(layer) for layer in layers]
    broken_rules = family_of(config).broken_rules
    reasons = tuple(dict.fromkeys(reason for layer in layers for reason in broken_rules(layer, config)))
    return Assignment(operator, () if reasons else tuple(layers), reasons)


def _sections(graph: Graph, assignments: Sequence[Assignment]) -> list[Section]:
    """Cut into runs; a run of nothing but RESHAPE stays on the host."""
    runs: list[list[Assignment]] = []
    for assignment in assignments:
        if runs and runs[-1][0].on_engine == assignment.on_engine:
            runs[-1].append(assignment)
        else:
            runs.append([assignment])
    return [Section(run[0].on_engine and any(entry.layers for entry in run), tuple(run)) for run in runs]
