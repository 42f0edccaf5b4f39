"""What a model file holds and where each operator would run, before anything is built."""

from dataclasses import asdict, dataclass
from os import PathLike

from celosia.generators.chassis.configuration import EngineConfig

from .graph import ABSENT, BoundOperator, Graph, Operator, Tensor
from .partition import Assignment
from .section_plan import plan_graph
from .tflite import SurveyedOperator, survey_tflite

_MULTIPLYING = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}


@dataclass(frozen=True, slots=True)
class TensorSummary:
    """A tensor as the file has it."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class OperatorSummary:
    """An operator of a model file.

    Attributes:
        name: kind and place in the file.
        inputs, outputs: its activations; constants are not among them.
        macs: multiply-accumulates.
        weight_bytes: of its constants.
        runs_on: "engine", "host", "either" (it moves no data) or "nowhere" (it cannot be imported).
        reasons: every reason why it does not run on the engine.
    """

    name: str
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    macs: int
    weight_bytes: int
    runs_on: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model file's operators, in order."""

    model: str
    operators: tuple[OperatorSummary, ...]

    @property
    def can_run(self) -> bool:
        """Whether every operator runs somewhere."""
        return all(operator.runs_on != "nowhere" for operator in self.operators)

    @property
    def macs(self) -> int:
        """Of all operators."""
        return sum(operator.macs for operator in self.operators)

    @property
    def weight_bytes(self) -> int:
        """Of all operators."""
        return sum(operator.weight_bytes for operator in self.operators)

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        totals = {"macs": self.macs, "weight_bytes": self.weight_bytes, "can_run": self.can_run}
        return {**asdict(self), **totals}


def inspect_model(path: str | PathLike[str], config: EngineConfig) -> Inspection:
    """Survey the .tflite file at `path` for an engine of `config`.

    Raises:
        ModelError: the file is malformed, so that its operators cannot even be listed.
    """
    survey = survey_tflite(path)
    assignments: dict[int, Assignment] = {}
    if survey.graph is not None:
        plan = plan_graph(survey.graph, config)
        assignments = {entry.operator.index: entry for entry in plan.split.assignments}
    else:
        for surveyed in survey.operators:
            if surveyed.bound is not None and not surveyed.reasons:
                alone = plan_graph(_graph_of(surveyed.bound), config)
                assignments[surveyed.index] = alone.split.assignments[0]
    return Inspection(
        model=str(path),
        operators=tuple(_summary(surveyed, assignments.get(surveyed.index)) for surveyed in survey.operators),
    )


def _summary(surveyed: SurveyedOperator, assignment: Assignment | None) -> OperatorSummary:
    bound = surveyed.bound
    constants = () if bound is None else tuple(tensor for tensor in bound.operands if tensor.is_constant)
    names = {tensor.name for tensor in constants}
    if assignment is None:
        runs_on, reasons = "nowhere", surveyed.reasons
    elif surveyed.kind == "RESHAPE":
        runs_on, reasons = "either", ()
    else:
        runs_on, reasons = "engine" if assignment.on_engine else "host", assignment.reasons
    return OperatorSummary(
        name=surveyed.name,
        inputs=tuple(
            TensorSummary(tensor.name, tensor.shape, tensor.dtype)
            for tensor in surveyed.inputs
            if tensor.name not in names
        ),
        outputs=tuple(TensorSummary(tensor.name, tensor.shape, tensor.dtype) for tensor in surveyed.outputs),
        macs=0 if bound is None else _macs(bound, assignment),
        weight_bytes=sum(tensor.nbytes for tensor in constants) if surveyed.kind in _MULTIPLYING else 0,
        runs_on=runs_on,
        reasons=reasons,
    )


def _macs(bound: BoundOperator, assignment: Assignment | None) -> int:
    if assignment is not None and assignment.layers:
        return sum(layer.macs for layer in assignment.layers)
    if bound.kind in _MULTIPLYING:
        return bound.ofm.size // bound.ofm.shape[-1] * bound.weights.size
    return 0


def _graph_of(bound: BoundOperator) -> Graph:
    """A graph of one operator."""
    tensors: list[Tensor] = []
    inputs: list[int] = []
    for tensor in bound.inputs:
        inputs.append(ABSENT if tensor is None else len(tensors))
        tensors += [] if tensor is None else [tensor]
    outputs = tuple(range(len(tensors), len(tensors) + len(bound.outputs)))
    activations = tuple(index for index, tensor in enumerate(tensors) if not tensor.is_constant)
    return Graph(
        name=bound.name,
        file="",
        tensors=(*tensors, *bound.outputs),
        operators=(Operator(bound.kind, bound.index, tuple(inputs), outputs, bound.attributes),),
        inputs=activations,
        outputs=outputs,
    )
