"""Read a TFLite file into a `Graph`, or say everything that stands in the way."""

from dataclasses import dataclass
from os import PathLike

from ..errors import ModelError
from ..graph import ABSENT, BoundOperator, Graph, Operator, Tensor
from ..model_file import read_model_file
from ..operator_rules import broken_rules
from .flatbuffer import FlatBufferError
from .options import build_attributes
from .records import ModelRecord, OperatorRecord, TensorRecord, read_model
from .tensors import build_tensor

__all__ = ["Survey", "SurveyedOperator", "SurveyedTensor", "load_tflite", "parse_tflite", "survey_tflite"]

_MAXIMUM_SCALES = 1 << 19


@dataclass(frozen=True, slots=True)
class SurveyedTensor:
    """What a file says about a tensor, whether or not it can be used."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class SurveyedOperator:
    """An operator of a file and every reason why it cannot be imported (none when it can).

    ``bound`` is the operator with its tensors, or None when it could not even be read.
    """

    kind: str
    index: int
    inputs: tuple[SurveyedTensor, ...]
    outputs: tuple[SurveyedTensor, ...]
    reasons: tuple[str, ...]
    bound: BoundOperator | None

    @property
    def name(self) -> str:
        """``"CONV_2D #3"``, as `Operator.name`."""
        return f"{self.kind} #{self.index}"


@dataclass(frozen=True, slots=True)
class Survey:
    """All operators of a file with what is wrong with each, and the graph when nothing is."""

    file: str
    operators: tuple[SurveyedOperator, ...]
    graph: Graph | None

    def require_graph(self) -> Graph:
        """The graph; ModelError with every reason of every operator when there is none."""
        if self.graph is not None:
            return self.graph
        refused = [operator for operator in self.operators if operator.reasons]
        if len(refused) == 1:
            raise ModelError(self.file, "; ".join(refused[0].reasons), refused[0].name)
        lines = [f"{operator.name}: {'; '.join(operator.reasons)}" for operator in refused]
        raise ModelError(self.file, f"{len(refused)} operators cannot be imported:\n  " + "\n  ".join(lines))


def load_tflite(path: str | PathLike[str]) -> Graph:
    """The graph of the .tflite file at ``path``.

    Raises ModelError when the file cannot be read, is malformed or holds what is not supported.
    """
    return survey_tflite(path).require_graph()


def survey_tflite(path: str | PathLike[str]) -> Survey:
    """Every operator of the file at ``path`` with the reasons, if any, why it cannot be imported.

    Raises ModelError when the file is malformed, so that its operators cannot even be listed.
    """
    return parse_tflite(read_model_file(path), str(path))


def parse_tflite(data: bytes, file: str) -> Survey:
    """As `survey_tflite`, from the bytes of a file that messages call ``file``."""
    try:
        model = read_model(data)
        _check_indices(model)
    except FlatBufferError as error:
        raise ModelError(file, str(error)) from error
    tensors, problems = _build_tensors(model)
    _check_work(file, model, tensors)
    operators = tuple(
        _survey_operator(index, record, model.tensors, tensors, problems)
        for index, record in enumerate(model.operators)
    )
    if any(operator.reasons for operator in operators):
        return Survey(file, operators, None)
    _check_edges(file, model, problems)
    return Survey(file, operators, _graph(file, model, tensors, operators))


def _check_indices(model: ModelRecord) -> None:
    count = len(model.tensors)
    for tensor in model.inputs + model.outputs:
        if not 0 <= tensor < count:
            raise FlatBufferError(f"an input or output of the graph must be below {count}, not {tensor}")


def _check_work(file: str, model: ModelRecord, tensors: list[Tensor | None]) -> None:
    # Operators may share tensors, so that checking every scale of every operator could take for ever.
    scales = [
        0 if tensor is None or tensor.quantization is None else len(tensor.quantization.scale)
        for tensor in tensors
    ]
    used = sum(
        scales[index] for record in model.operators for index in record.inputs if 0 <= index < len(scales)
    )
    if used > _MAXIMUM_SCALES:
        raise ModelError(file, f"its operators must use at most {_MAXIMUM_SCALES} scales in all, not {used}")


def _build_tensors(model: ModelRecord) -> tuple[list[Tensor | None], dict[int, str]]:
    tensors: list[Tensor | None] = []
    problems: dict[int, str] = {}
    for index, record in enumerate(model.tensors):
        try:
            tensors.append(build_tensor(record))
        except ValueError as error:
            tensors.append(None)
            problems[index] = f"tensor {record.name!r}: {error}"
    return tensors, problems


def _survey_operator(
    index: int,
    record: OperatorRecord,
    records: tuple[TensorRecord, ...],
    tensors: list[Tensor | None],
    problems: dict[int, str],
) -> SurveyedOperator:
    wrong = _wrong_indices(record, len(records))
    if wrong:
        return SurveyedOperator(record.kind, index, (), (), wrong, None)
    inputs = tuple(None if tensor == ABSENT else tensors[tensor] for tensor in record.inputs)
    outputs = tuple(tensor for tensor in (tensors[number] for number in record.outputs) if tensor is not None)
    reasons = [
        problems[tensor] for tensor in dict.fromkeys(record.inputs + record.outputs) if tensor in problems
    ]
    bound = None
    try:
        attributes = build_attributes(record, inputs, outputs)
    except ValueError as error:
        reasons.append(str(error))
    else:
        if not reasons:
            bound = BoundOperator(record.kind, index, attributes, inputs, outputs)
            reasons.extend(broken_rules(bound))
    return SurveyedOperator(
        record.kind,
        index,
        _summaries(record.inputs, records),
        _summaries(record.outputs, records),
        tuple(reasons),
        bound,
    )


def _wrong_indices(record: OperatorRecord, count: int) -> tuple[str, ...]:
    inputs = [f"input {tensor}" for tensor in record.inputs if not ABSENT <= tensor < count]
    outputs = [f"output {tensor}" for tensor in record.outputs if not 0 <= tensor < count]
    return tuple(f"{what} must be a tensor index below {count}" for what in inputs + outputs)


def _summaries(indices: tuple[int, ...], records: tuple[TensorRecord, ...]) -> tuple[SurveyedTensor, ...]:
    present = (records[tensor] for tensor in indices if tensor != ABSENT)
    return tuple(SurveyedTensor(tensor.name, tensor.shape, tensor.dtype) for tensor in present)


def _check_edges(file: str, model: ModelRecord, problems: dict[int, str]) -> None:
    for tensor in model.inputs + model.outputs:
        if tensor in problems:
            raise ModelError(file, problems[tensor])


def _graph(
    file: str, model: ModelRecord, tensors: list[Tensor | None], operators: tuple[SurveyedOperator, ...]
) -> Graph:
    # Tensors that no operator uses may be unusable themselves: they are left out, the others keep their order.
    kept = [index for index, tensor in enumerate(tensors) if tensor is not None]
    renumbered = {old: new for new, old in enumerate(kept)} | {ABSENT: ABSENT}
    steps = tuple(
        Operator(
            surveyed.kind,
            surveyed.index,
            tuple(renumbered[tensor] for tensor in record.inputs),
            tuple(renumbered[tensor] for tensor in record.outputs),
            surveyed.bound.attributes,
        )
        for surveyed, record in zip(operators, model.operators, strict=True)
        if surveyed.bound is not None
    )
    try:
        return Graph(
            model.name,
            file,
            tuple(tensor for tensor in tensors if tensor is not None),
            steps,
            tuple(renumbered[tensor] for tensor in model.inputs),
            tuple(renumbered[tensor] for tensor in model.outputs),
        )
    except ValueError as error:
        raise ModelError(file, str(error)) from error
