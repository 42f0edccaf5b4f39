"""Programs as plain records: what a program file's JSON header holds. Bytes are parts that it refers to by number."""

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import find_family

from .attributes import Attributes
from .binary_point import FixedPoint
from .graph import Graph, Operator, Quantization, Tensor
from .operator_rules import broken_rules
from .plain_values import from_plain
from .program import Binding, EngineSection, HostSection, Program, ProgramLayer, Snapshot

_ATTRIBUTES: dict[str, Any] = {kind.__name__: kind for kind in get_args(Attributes)}


class Parts:
    """The binary parts of a file, in order."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.ranges: list[tuple[int, int]] = []

    def add(self, part: bytes) -> int:
        """The number of a new part."""
        self.ranges.append((len(self.content), len(part)))
        self.content += part
        return len(self.ranges) - 1


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """A tensor; `data` is a part."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None
    data: int | None
    fixed_point: FixedPoint | None = None


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """An operator; `attributes` names the class that `values` are of."""

    kind: str
    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A `HostSection` and its graph."""

    name: str
    tensors: tuple[TensorRecord, ...]
    operators: tuple[OperatorRecord, ...]
    graph_inputs: tuple[int, ...]
    graph_outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """An `EngineSection`; `content` is a part."""

    content: int
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


@dataclass(frozen=True, slots=True)
class ProgramRecord:
    """A `Program`; `parts` are (start, size) of each binary part."""

    model: str
    family: str
    config: dict[str, Any]
    config_hash: str
    memory_latency: int
    memory_bytes_per_cycle: str
    memory_weights_bytes_per_cycle: str
    tensors: dict[int, TensorRecord]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    views: dict[int, int]
    sections: tuple[EngineRecord | HostRecord, ...]
    parts: tuple[tuple[int, int], ...]


def record_of(program: Program, parts: Parts) -> ProgramRecord:
    """The record of `program`, its bytes added to `parts`."""
    return ProgramRecord(
        model=program.model,
        family=program.config.family,
        config=program.config.values,
        config_hash=f"{program.config.hash:016x}",
        memory_latency=program.memory_latency,
        memory_bytes_per_cycle=program.memory_bytes_per_cycle,
        memory_weights_bytes_per_cycle=program.memory_weights_bytes_per_cycle,
        tensors={index: _tensor_record(tensor, parts) for index, tensor in program.tensors.items()},
        inputs=program.inputs,
        outputs=program.outputs,
        views=program.views,
        sections=tuple(
            _host_record(section, parts)
            if isinstance(section, HostSection)
            else EngineRecord(**_with_content(section, parts.add(section.content)))
            for section in program.sections
        ),
        parts=tuple(parts.ranges),
    )


def program_of(record: ProgramRecord, parts: bytes) -> Program:
    """The program of a record whose parts lie in `parts`.

    Raises:
        TypeError, ValueError: it makes no sense.
    """
    pieces = []
    for start, size in record.parts:
        if start < 0 or size < 0 or start + size > len(parts):
            raise ValueError(f"part {start}..{start + size} lies outside the file")
        pieces.append(parts[start : start + size])
    return Program(
        model=record.model,
        config=_config(record),
        tensors={index: _tensor(entry, pieces) for index, entry in record.tensors.items()},
        inputs=record.inputs,
        outputs=record.outputs,
        views=record.views,
        sections=tuple(
            _host_section(section, record.model, pieces)
            if isinstance(section, HostRecord)
            else _engine_section(section, pieces)
            for section in record.sections
        ),
        memory_latency=record.memory_latency,
        memory_bytes_per_cycle=record.memory_bytes_per_cycle,
        memory_weights_bytes_per_cycle=record.memory_weights_bytes_per_cycle,
    )


def _config(record: ProgramRecord) -> EngineConfig:
    family = find_family(record.family)
    return from_plain(family.config, record.config, "config")


def _tensor_record(tensor: Tensor, parts: Parts) -> TensorRecord:
    data = None if tensor.data is None else parts.add(tensor.data.tobytes())
    return TensorRecord(
        tensor.name, tensor.shape, tensor.dtype, tensor.quantization, data, tensor.fixed_point
    )


def _tensor(record: TensorRecord, pieces: list[bytes]) -> Tensor:
    data = None
    if record.data is not None:
        data = np.frombuffer(_piece(pieces, record.data), record.dtype).reshape(record.shape)
    return Tensor(record.name, record.shape, record.dtype, record.quantization, data, record.fixed_point)


def _piece(pieces: list[bytes], number: int) -> bytes:
    if not 0 <= number < len(pieces):
        raise ValueError(f"a part must be below {len(pieces)}, not {number}")
    return pieces[number]


def _engine_section(record: EngineRecord, pieces: list[bytes]) -> EngineSection:
    return EngineSection(**_with_content(record, _piece(pieces, record.content)))


def _with_content(value: EngineRecord | EngineSection, content: int | bytes) -> dict[str, Any]:
    """The fields of a section or its record, which are the same, the content apart."""
    names = [entry.name for entry in dataclasses.fields(value)]
    return {name: content if name == "content" else getattr(value, name) for name in names}


def _host_record(section: HostSection, parts: Parts) -> HostRecord:
    graph = section.graph
    return HostRecord(
        name=graph.name,
        tensors=tuple(_tensor_record(tensor, parts) for tensor in graph.tensors),
        operators=tuple(
            OperatorRecord(
                operator.kind,
                operator.index,
                operator.inputs,
                operator.outputs,
                type(operator.attributes).__name__,
                dataclasses.asdict(operator.attributes),
            )
            for operator in graph.operators
        ),
        graph_inputs=graph.inputs,
        graph_outputs=graph.outputs,
        inputs=section.inputs,
        outputs=section.outputs,
        reasons=section.reasons,
    )


def _host_section(record: HostRecord, model: str, pieces: list[bytes]) -> HostSection:
    graph = Graph(
        name=record.name,
        file=model,
        tensors=tuple(_tensor(tensor, pieces) for tensor in record.tensors),
        operators=tuple(_operator(operator) for operator in record.operators),
        inputs=record.graph_inputs,
        outputs=record.graph_outputs,
    )
    for operator in graph.operators:
        reasons = broken_rules(graph.bind(operator))
        if reasons:
            raise ValueError(f"{operator.name}: {reasons[0]}")
    return HostSection(graph, record.inputs, record.outputs, record.reasons)


def _operator(record: OperatorRecord) -> Operator:
    if record.attributes not in _ATTRIBUTES:
        raise ValueError(f"attributes must be one of {', '.join(_ATTRIBUTES)}, not {record.attributes!r}")
    attributes = from_plain(_ATTRIBUTES[record.attributes], record.values, record.kind)
    return Operator(record.kind, record.index, record.inputs, record.outputs, attributes)
