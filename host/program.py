"""A compiled network: sections that alternate between engine and host, and what each needs."""

from dataclasses import dataclass

from celosia.generators.mac_engine.config import MacEngineConfig

from .graph import Graph, Tensor


@dataclass(frozen=True, slots=True)
class ProgramLayer:
    """One layer on the engine, for reports: its operator, useful MACs and predicted cycles."""

    name: str
    operator: int
    kind: str
    macs: int
    predicted_cycles: int


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
        layers: in the order in which they run; each appends one snapshot to the profile memory.
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
    predicted_cycles: int
    peak_bricks: int


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


@dataclass(frozen=True, slots=True)
class Program:
    """A network compiled for one configuration.

    Attributes:
        model: file it came from.
        config: of the engine; its hash is in every command list.
        memory_latency, memory_bytes_per_cycle: memory that the prediction assumes (a rational as text); latency
            0: nothing is predicted yet, see `prediction.with_predictions`.
        tensors: those that cross a section's border, by index in the graph.
        inputs, outputs: of the network.
        views: outputs that are another tensor's bytes in another shape (RESHAPE), and which tensor that is.
        sections: in order.
    """

    model: str
    config: MacEngineConfig
    tensors: dict[int, Tensor]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    views: dict[int, int]
    sections: tuple[EngineSection | HostSection, ...]
    memory_latency: int = 0
    memory_bytes_per_cycle: str = "8"

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
