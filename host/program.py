"""A compiled network: sections that alternate between engine and host, and what each needs."""

from dataclasses import dataclass
from fractions import Fraction

from celosia.generators.chassis.command import COMMAND_BYTES
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel

from .graph import Graph, Tensor
from .layering.memory_layout import stored_bytes


@dataclass(frozen=True, slots=True)
class ProgramLayer:
    """One layer on the engine, for reports: its operator and useful MACs."""

    name: str
    operator: int
    kind: str
    macs: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An entry of the profile memory.

    Attributes:
        first, last: layers first..last-1 of the section have run since the entry before.
        predicted_cycles: from the entry before to this one, of the last entry to the end of the section.
    """

    first: int
    last: int
    predicted_cycles: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """A tensor's bytes at `offset` of region INPUT or OUTPUT."""

    tensor: int
    offset: int


@dataclass(frozen=True, slots=True)
class EngineSection:
    """One run of the engine.

    Attributes:
        content: region PROGRAM: constants, then commands.
        queue_offset: bytes from the start of `content` to the first command.
        queue_count: commands.
        input_bytes, output_bytes, scratch_bytes: sizes of the other regions.
        inputs, outputs: tensors in regions INPUT and OUTPUT.
        layers: in the order in which they start; those of a chain run in turns.
        snapshots: of the profile memory, in order.
        predicted_cycles: start to interrupt.
        peak_bricks: of the unified buffer.
    """

    content: bytes
    queue_offset: int
    queue_count: int
    input_bytes: int
    output_bytes: int
    scratch_bytes: int
    inputs: tuple[Binding, ...]
    outputs: tuple[Binding, ...]
    layers: tuple[ProgramLayer, ...]
    snapshots: tuple[Snapshot, ...]
    predicted_cycles: int
    peak_bricks: int

    def __post_init__(self) -> None:
        sizes = (self.input_bytes, self.output_bytes, self.scratch_bytes, self.predicted_cycles)
        if min(*sizes, self.peak_bricks) < 0:
            raise ValueError("sizes and cycles must not be negative")
        end = self.queue_offset + self.queue_count * COMMAND_BYTES
        if self.queue_offset < 0 or self.queue_offset % COMMAND_BYTES or self.queue_count < 2:
            raise ValueError(f"queue_offset must be a multiple of {COMMAND_BYTES}, of at least two commands")
        if end != len(self.content):
            raise ValueError(f"the commands must end with the content at byte {len(self.content)}, not {end}")
        count = len(self.layers)
        if not all(0 <= snapshot.first < snapshot.last <= count for snapshot in self.snapshots):
            raise ValueError(f"snapshots must be of the section's {count} layers")


@dataclass(frozen=True, slots=True)
class HostSection:
    """Operators for the reference kernels.

    Attributes:
        graph: the operators, with tensors of its own.
        inputs, outputs: the program's tensors that are the graph's inputs and outputs, in its order.
        reasons: why they do not run on the engine.
    """

    graph: Graph
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        graph = self.graph
        if (len(self.inputs), len(self.outputs)) != (len(graph.inputs), len(graph.outputs)):
            raise ValueError("a section must have the inputs and outputs of its graph")


@dataclass(frozen=True, slots=True)
class Program:
    """A network compiled for one configuration.

    Attributes:
        model: file it came from.
        config: of the engine; its hash is in every command list.
        memory_latency, memory_bytes_per_cycle: memory that the prediction assumes (a rational as text); latency
            0: nothing is predicted yet, see `prediction.with_predictions`.
        memory_weights_bytes_per_cycle: likewise, of the port for weights; empty for a beat a cycle.
        tensors: those that cross a section's border, by index in the graph.
        inputs, outputs: of the network.
        views: outputs that are another tensor's bytes in another shape (RESHAPE), and which tensor that is.
        sections: in order.
    """

    model: str
    config: EngineConfig
    tensors: dict[int, Tensor]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    views: dict[int, int]
    sections: tuple[EngineSection | HostSection, ...]
    memory_latency: int = 0
    memory_bytes_per_cycle: str = "8"
    memory_weights_bytes_per_cycle: str = ""

    def __post_init__(self) -> None:
        rates = [self.memory_bytes_per_cycle, self.memory_weights_bytes_per_cycle or "1"]
        if self.memory_latency < 0 or min(map(Fraction, rates)) <= 0:
            raise ValueError("the memory of the prediction must have a latency and a bandwidth")
        _check_flow(self)

    @property
    def engine_sections(self) -> tuple[EngineSection, ...]:
        """Those on the engine."""
        return tuple(section for section in self.sections if isinstance(section, EngineSection))

    @property
    def macs(self) -> int:
        """Useful multiply-accumulates of one inference on the engine."""
        return sum(layer.macs for section in self.engine_sections for layer in section.layers)

    @property
    def predicted_cycles(self) -> int:
        """Of one inference, over all engine sections."""
        return sum(section.predicted_cycles for section in self.engine_sections)

    def is_predicted_for(self, memory: MemoryModel) -> bool:
        """Whether the cycles are those behind `memory`."""
        predicted = self.memory_latency, self.memory_bytes_per_cycle, self.memory_weights_bytes_per_cycle
        weights_rate = memory.weights_bytes_per_cycle
        return predicted == (memory.latency, str(memory.bytes_per_cycle), str(weights_rate or ""))

    @property
    def host_operators(self) -> tuple[str, ...]:
        """Names of the operators that run on the host (RESHAPE, which moves nothing, apart)."""
        return tuple(
            operator.name
            for section in self.sections
            if isinstance(section, HostSection)
            for operator in section.graph.operators
            if operator.kind != "RESHAPE"
        )


def _check_flow(program: Program) -> None:
    """Every tensor is computed before it is read, and fits where it is read or written.

    Raises:
        ValueError: it is not, or does not.
    """
    tensors = program.tensors
    unknown = {*program.inputs, *program.outputs, *program.views, *program.views.values()} - set(tensors)
    for section in program.sections:
        unknown |= {*_read(section), *_written(section)} - set(tensors)
    if unknown:
        raise ValueError(f"there is no tensor {min(unknown)}")
    ready = {*program.inputs, *(index for index, tensor in tensors.items() if tensor.is_constant)}
    for section in program.sections:
        early = [index for index in _read(section) if index not in ready]
        if early:
            raise ValueError(f"tensor {early[0]} is read before it is computed")
        if isinstance(section, HostSection):
            _check_host_edges(section, tensors)
        else:
            channels = program.config.brick_channels
            sizes = {index: stored_bytes(tensor, channels) for index, tensor in tensors.items()}
            _check_bindings(section.inputs, section.input_bytes, sizes)
            _check_bindings(section.outputs, section.output_bytes, sizes)
        ready.update(_written(section))
    for view, index in program.views.items():
        _check_same_bytes(tensors[view], tensors[index])
        if index in ready:
            ready.add(view)
    missing = [index for index in program.outputs if index not in ready]
    if missing:
        raise ValueError(f"output {missing[0]} is never computed")


def _read(section: EngineSection | HostSection) -> list[int]:
    if isinstance(section, HostSection):
        return list(section.inputs)
    return [binding.tensor for binding in section.inputs]


def _written(section: EngineSection | HostSection) -> list[int]:
    if isinstance(section, HostSection):
        return list(section.outputs)
    return [binding.tensor for binding in section.outputs]


def _check_bindings(bindings: tuple[Binding, ...], room: int, sizes: dict[int, int]) -> None:
    for binding in bindings:
        if not 0 <= binding.offset <= room - sizes[binding.tensor]:
            raise ValueError(f"tensor {binding.tensor} does not fit its region of {room} bytes")


def _check_host_edges(section: HostSection, tensors: dict[int, Tensor]) -> None:
    graph = section.graph
    inside, outside = graph.inputs + graph.outputs, section.inputs + section.outputs
    for index, tensor in zip(inside, outside, strict=True):
        _check_same_bytes(graph.tensor(index), tensors[tensor])


def _check_same_bytes(one: Tensor, other: Tensor) -> None:
    if (one.size, one.dtype) != (other.size, other.dtype):
        raise ValueError(f"tensors {one.name!r} and {other.name!r} must have the same size and dtype")
