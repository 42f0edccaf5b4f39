"""Run a whole program: engine sections on a device, the others on the reference kernels."""

from collections.abc import Mapping, Sequence

import numpy as np

from celosia.generators.chassis.device import Device
from celosia.generators.families import family_of

from .driver import LoadedSection, SectionRun, check_identity, memory_bytes
from .layering.memory_layout import from_memory, to_memory
from .profile import Profile, profile_of
from .program import EngineSection, HostSection, Program
from .reference import run_graph


def program_memory_bytes(program: Program) -> int:
    """Device memory that all sections of a program take together."""
    return sum(memory_bytes(section) for section in program.engine_sections)


class Runtime:
    """A program loaded onto a device."""

    def __init__(self, program: Program, device: Device) -> None:
        """Check that the device is the one that the program was compiled for, and load it.

        Raises:
            DeviceError: it is another, or does not answer.
        """
        self.program = program
        self._loaded: dict[int, LoadedSection] = {}
        if program.engine_sections:
            check_identity(device, program.config)
        own_counters = family_of(program.config).counters
        base = 0
        for index, section in enumerate(program.sections):
            if isinstance(section, EngineSection):
                self._loaded[index] = LoadedSection(device, section, base, own_counters)
                base += memory_bytes(section)
        self._last: list[tuple[EngineSection, SectionRun]] = []
        self._uncounted: LoadedSection | None = None

    def run(self, inputs: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """One inference: the network's inputs in order to the values of all tensors that cross sections.

        Raises:
            TypeError, ValueError: an input's dtype or shape is wrong.
            EngineError, DeviceError: the device failed.
        """
        program = self.program
        values = {index: tensor.data for index, tensor in program.tensors.items() if tensor.data is not None}
        values.update(zip(program.inputs, self._checked(inputs), strict=True))
        self._last, self._uncounted = [], None
        for index, section in enumerate(program.sections):
            if isinstance(section, HostSection):
                results = run_graph(section.graph, _host_inputs(section, values))
                values.update(zip(section.outputs, results, strict=True))
                continue
            self._count()
            outputs = self._loaded[index].compute(self._stored_inputs(section, values))
            self._uncounted = self._loaded[index]
            for tensor, content in outputs.items():
                entry = program.tensors[tensor]
                values[tensor] = from_memory(content, entry, program.config.brick_channels)
        for view, tensor in program.views.items():
            values[view] = values[tensor].reshape(program.tensors[view].shape)
        return values

    def _stored_inputs(
        self, section: EngineSection, values: Mapping[int, np.ndarray]
    ) -> dict[int, np.ndarray]:
        """What a section reads, as it lies in memory."""
        tensors, channels = self.program.tensors, self.program.config.brick_channels
        read = [binding.tensor for binding in section.inputs]
        return {index: to_memory(values[index], tensors[index], channels) for index in read}

    def profile(self) -> Profile:
        """Of the last run; what its last section cost is read from the device when this is first called.

        Raises:
            ValueError: nothing ran yet.
            DeviceError: the device did not answer.
        """
        self._count()
        if not self._last and self.program.engine_sections:
            raise ValueError("there is no profile before the first run")
        config = self.program.config
        names = tuple(entry.name.lower() for entry in family_of(config).counters)
        return profile_of(self._last, config.peak_macs, self.program.predicted_cycles, names)

    def _count(self) -> None:
        """Read what a section has cost, before the next one starts to count."""
        if self._uncounted is not None:
            self._last.append((self._uncounted.section, self._uncounted.counted()))
            self._uncounted = None

    def _checked(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        if len(inputs) != len(self.program.inputs):
            raise ValueError(f"there must be {len(self.program.inputs)} inputs, not {len(inputs)}")
        checked = []
        for index, array in zip(self.program.inputs, inputs, strict=True):
            tensor = self.program.tensors[index]
            if array.dtype != np.dtype(tensor.dtype):
                raise TypeError(f"input {tensor.name!r} must be {tensor.dtype}, not {array.dtype}")
            if array.shape != tensor.shape:
                raise ValueError(f"input {tensor.name!r} must have shape {tensor.shape}, not {array.shape}")
            checked.append(np.ascontiguousarray(array))
        return checked


def _host_inputs(section: HostSection, values: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    """The tensors that a host section reads, in the shapes that its graph knows them by."""
    graph = section.graph
    return [
        values[tensor].reshape(graph.tensor(index).shape)
        for tensor, index in zip(section.inputs, graph.inputs, strict=True)
    ]
