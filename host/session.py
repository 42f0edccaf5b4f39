"""`InferenceSession`: a network on a device, with onnxruntime's call shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType

import numpy as np

from celosia.generators.chassis.memory import MemoryModel
from celosia.sim.verilator import Progress

from .device_spec import DeviceSpec, open_device, parse_device
from .graph import Graph
from .profile import Profile
from .program import Program
from .program_cache import compiled, predicted
from .program_file import ProgramError, is_program, load_program
from .runtime import Runtime, program_memory_bytes


@dataclass(frozen=True, slots=True)
class NodeArg:
    """An input or output of the network: `name`, `shape`, and `type` such as "tensor(int8)"."""

    name: str
    shape: tuple[int, ...]
    type: str


def _nodes(program: Program, indices: Sequence[int]) -> list[NodeArg]:
    """Tensors under their names; one whose name another one bears already gets its place appended."""
    nodes: list[NodeArg] = []
    for place, index in enumerate(indices):
        tensor = program.tensors[index]
        taken = {node.name for node in nodes}
        name = tensor.name if tensor.name not in taken else f"{tensor.name}:{place}"
        kind = {"float32": "float"}.get(tensor.dtype, tensor.dtype)
        nodes.append(NodeArg(name, tensor.shape, f"tensor({kind})"))
    return nodes


class InferenceSession:
    """A network compiled for a device and loaded onto it.

    Example:
        session = celosia.InferenceSession("model.tflite", device="sim:u55-128")
        outputs = session.run(None, {session.get_inputs()[0].name: x})
    """

    def __init__(
        self,
        model: str | PathLike[str] | Graph | Program,
        device: str | DeviceSpec = "sim:u55-128",
        *,
        settings: Sequence[str] = (),
        memory: MemoryModel | None = None,
        trace: str | PathLike[str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Compile (unless `model` is a program), build or find the device, load the program.

        Args:
            model: a .tflite file, a graph (see `GraphBuilder`), a program file or a program.
            device: "sim:PRESET", "serial:PORT" (see docs/link.md), or a parsed specification.
            settings: `KEY=VALUE` changes to the preset.
            memory: timing of the simulated memory.
            trace: write a waveform of every run to this file.
            progress: called as `progress(step, done, total)` while something takes more than a second.

        Raises:
            ModelError: the model cannot be used.
            DeviceSpecError: there is no such device.
            ToolError, CacheError: the simulated device cannot be built.
            DeviceError: the device does not answer.
        """
        spec = parse_device(device, settings, None, memory) if isinstance(device, str) else device
        self.spec = spec
        self.program = _program(model, spec, progress)
        opened = open_device(
            spec,
            program_memory_bytes(self.program),
            trace=None if trace is None else Path(trace),
            progress=progress,
        )
        self.device = opened.device
        self.verilog_path = opened.verilog_path
        self._runtime = Runtime(self.program, self.device)

    def get_inputs(self) -> list[NodeArg]:
        """The network's inputs, in order."""
        return _nodes(self.program, self.program.inputs)

    def get_outputs(self) -> list[NodeArg]:
        """The network's outputs, in order."""
        return _nodes(self.program, self.program.outputs)

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """One inference; all outputs if `output_names` is None.

        Raises:
            ValueError, TypeError: a name, shape or dtype is wrong.
            DeviceError: the device failed.
        """
        inputs = [entry.name for entry in self.get_inputs()]
        outputs = [entry.name for entry in self.get_outputs()]
        unknown = sorted(set(input_feed) - set(inputs)) or sorted(set(output_names or ()) - set(outputs))
        if unknown:
            raise ValueError(f"there is no {unknown[0]!r}: inputs are {inputs}, outputs {outputs}")
        missing = [name for name in inputs if name not in input_feed]
        if missing:
            raise ValueError(f"input {missing[0]!r} is missing")
        values = self._runtime.run([np.asarray(input_feed[name]) for name in inputs])
        by_name = {name: values[index] for name, index in zip(outputs, self.program.outputs, strict=True)}
        return [by_name[name] for name in (outputs if output_names is None else output_names)]

    def run_tensors(self, inputs: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """One inference from inputs in order; the tensors between the program's sections, by index in the graph.

        Raises:
            ValueError, TypeError, DeviceError: as `run`.
        """
        return self._runtime.run(inputs)

    def profile(self) -> Profile:
        """Cycles, MACs, stalls and bytes of the last run, layer by layer.

        Read from the device when first asked for after a run, so ask before the session is closed.

        Raises:
            ValueError: nothing ran yet.
            DeviceError: the device did not answer, or is closed.
        """
        return self._runtime.profile()

    def close(self) -> None:
        """Release the device."""
        self.device.close()

    def __enter__(self) -> "InferenceSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _program(
    model: str | PathLike[str] | Graph | Program, spec: DeviceSpec, progress: Progress | None
) -> Program:
    if isinstance(model, Graph):
        # Imported here: a session of a program file starts without the compiler.
        from .compiler import compile_graph

        program = compile_graph(model, spec.config, spec.memory)
    elif isinstance(model, Program):
        program = model
    elif is_program(model):
        program = load_program(model)
    else:
        return compiled(model, spec.config, spec.memory, progress=progress)
    if program.config.hash != spec.config.hash:
        raise ProgramError(
            program.model,
            f"it was compiled for configuration {program.config.hash:016x} ({program.config.title}), the device "
            f"{spec.name} has {spec.config.hash:016x} ({spec.config.title}): compile it for that device",
        )
    return predicted(program, spec.memory, progress=progress)
