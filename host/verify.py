"""Run every case of a file on a device and compare with the expected outputs, bit for bit."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike

import numpy as np

from celosia.generators.chassis.device import DeviceError
from celosia.sim.verilator import Progress

from .arrays import Case, load_cases
from .compiler import compile_graph
from .device_spec import DeviceSpec
from .graph import Graph
from .profile import Profile
from .reference import trace_graph
from .session import InferenceSession
from .tflite import load_tflite


@dataclass(frozen=True, slots=True)
class Difference:
    """The first element of an output that is not the expected one.

    `first_layer` says which operator's result on the device is the first that leaves the reference kernel's.
    """

    case: str
    tensor: str
    index: tuple[int, ...]
    expected: float
    actual: float
    first_layer: str

    def __str__(self) -> str:
        return (
            f"case {self.case}: output {self.tensor!r} at {list(self.index)} must be {self.expected}, "
            f"not {self.actual}; {self.first_layer}"
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify_model` found; cycles and MACs are of one inference, the first."""

    model: str
    device: str
    cases: int
    equal: int
    cycles: int
    predicted_cycles: int
    macs: int
    mac_utilization: float
    host_operators: tuple[str, ...]
    wall_seconds: float
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every case is."""
        return self.equal == self.cases

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


def verify_model(
    model: str | PathLike[str],
    cases_file: str | PathLike[str],
    spec: DeviceSpec,
    progress: Progress | None = None,
) -> Verification:
    """Run all cases of `cases_file` (see `arrays.load_cases`) on the device `spec`.

    Raises:
        ModelError, DataError: a file cannot be used.
        ToolError, CacheError, DeviceError: the device cannot be built or failed, or cases took different cycles.
    """
    graph = load_tflite(model)
    tensors = graph.tensors
    cases = load_cases(
        cases_file, [tensors[index] for index in graph.inputs], [tensors[index] for index in graph.outputs]
    )
    started = time.perf_counter()
    program = compile_graph(graph, spec.config, spec.memory)
    profiles: list[Profile] = []
    found: list[tuple[Case, int, tuple[int, ...], float]] = []
    with InferenceSession(program, spec, progress=progress) as session:
        for number, case in enumerate(cases):
            if progress is not None:
                progress("Running cases", number, len(cases))
            outputs = _run(session, case.inputs)
            if spec.serial is None or not profiles:
                profiles.append(session.profile())
            found += [
                (case, place, *difference)
                for place, (actual, expected) in enumerate(zip(outputs, case.outputs, strict=True))
                if (difference := _first_difference(actual, expected)) is not None
            ]
        if progress is not None:
            progress("Running cases", len(cases), len(cases))
    _check_cycles(cases, profiles)
    return Verification(
        model=str(model),
        device=spec.name,
        cases=len(cases),
        equal=len(cases) - len({case.name for case, *_ in found}),
        cycles=profiles[0].cycles,
        predicted_cycles=profiles[0].predicted_cycles,
        macs=profiles[0].macs,
        mac_utilization=profiles[0].mac_utilization,
        host_operators=program.host_operators,
        wall_seconds=time.perf_counter() - started,
        differences=_explained(graph, spec, found, progress),
    )


def _run(session: InferenceSession, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    names = [node.name for node in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def _first_difference(actual: np.ndarray, expected: np.ndarray) -> tuple[tuple[int, ...], float] | None:
    """Index and value of the first element of `actual` whose bytes are not those of `expected`."""
    width = actual.dtype.itemsize
    differs = np.ascontiguousarray(actual).reshape(-1).view(np.uint8) != np.ascontiguousarray(
        expected
    ).reshape(-1).view(np.uint8)
    if not differs.any():
        return None
    place = np.unravel_index(int(differs.argmax()) // width, actual.shape)
    index = tuple(int(position) for position in place)
    return index, actual[index].item()


def _check_cycles(cases: Sequence[Case], profiles: Sequence[Profile]) -> None:
    """An inference takes the same cycles whatever its inputs.

    Of a board only the first is counted, since its memory is refreshed when that is due: cycles vary a little.

    Raises:
        DeviceError: it did not.
    """
    for case, profile in zip(cases, profiles, strict=False):
        if profile.cycles != profiles[0].cycles:
            raise DeviceError(
                f"cycles must not depend on the inputs: case {cases[0].name} took {profiles[0].cycles}, "
                f"case {case.name} {profile.cycles}; this is a defect of the engine, please report it"
            )


def _explained(
    graph: Graph,
    spec: DeviceSpec,
    found: Sequence[tuple[Case, int, tuple[int, ...], float]],
    progress: Progress | None,
) -> tuple[Difference, ...]:
    """The differences, each with the first layer at fault; cases are run again with every layer's result kept."""
    if not found:
        return ()
    program = compile_graph(graph, spec.config, spec.memory, keep_layers=True)
    layers: dict[str, str] = {}
    with InferenceSession(program, spec, progress=progress) as session:
        for case, *_ in found:
            if case.name not in layers:
                layers[case.name] = _first_layer(graph, session, case)
    return tuple(
        Difference(
            case=case.name,
            tensor=graph.tensor(graph.outputs[place]).name,
            index=index,
            expected=case.outputs[place][index].item(),
            actual=actual,
            first_layer=layers[case.name],
        )
        for case, place, index, actual in found
    )


def _first_layer(graph: Graph, session: InferenceSession, case: Case) -> str:
    """The first operator whose result on the device is not the reference kernel's, in words."""
    actual = session.run_tensors(case.inputs)
    expected = trace_graph(graph, case.inputs)
    for operator in graph.operators:
        index = operator.outputs[0]
        if index in actual:
            difference = _first_difference(actual[index], expected[index])
            if difference is not None:
                position, value = difference
                return (
                    f"the first layer to leave its reference kernel is {operator.name}: {list(position)} must be "
                    f"{expected[index][position].item()}, not {value}"
                )
    if all(
        _first_difference(expected[index], golden) is None
        for index, golden in zip(graph.outputs, case.outputs, strict=True)
    ):
        return "run layer by layer, every layer equals its reference kernel"
    return (
        "every layer equals its reference kernel: the expected values are not those of the reference kernels"
    )
