"""Simulated engines for tests: each is opened once, and runs any number of programs."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.host.compiler import compile_graph
from celosia.host.driver import LoadedSection, SectionRun
from celosia.host.graph import Graph
from celosia.host.prediction import with_predictions
from celosia.host.profile import Profile
from celosia.host.program import EngineSection
from celosia.host.runtime import Runtime
from celosia.host.simulated import open_simulated
from celosia.sim import SimulatedDevice
from tests.random_commands import REGION_BYTES, CommandList

MEMORY_BYTES = 16 << 20


@cache
def engine(config: EngineConfig) -> SimulatedDevice:
    """The simulated engine of `config`, shared by the tests of a process."""
    device, _ = open_simulated(config, MemoryModel(), MEMORY_BYTES, None, None)
    return device


class EngineBench:
    """A graph compiled, predicted and loaded onto a simulated engine behind `memory`, or onto `device`.

    Attributes:
        program: what was compiled.
        device: the engine.
        cycles: of the last run, as the engine counted them.
        profile: of the last run.
    """

    profile: Profile

    def __init__(
        self,
        graph: Graph,
        config: EngineConfig,
        memory: MemoryModel | None = None,
        device: SimulatedDevice | None = None,
    ) -> None:
        memory = memory or MemoryModel()
        self.program = with_predictions(compile_graph(graph, config), memory)
        self.device = device or engine(config)
        self.device.configure_memory(memory)
        self.cycles = 0
        self._runtime = Runtime(self.program, self.device)

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The network's outputs; the cycle count must be the predicted one."""
        values = self._runtime.run(inputs)
        profile = self.profile = self._runtime.profile()
        assert profile.cycles == self.program.predicted_cycles, "cycles, predicted cycles"
        counted = [(layer.name, layer.cycles) for layer in profile.layers]
        predicted = [(layer.name, layer.predicted_cycles) for layer in profile.layers]
        assert counted == predicted, "cycles of each layer"
        self.cycles = profile.cycles
        return [values[index] for index in self.program.outputs]


def run_command_list(
    config: EngineConfig, memory: MemoryModel, commands: CommandList, times: int
) -> list[SectionRun]:
    """What the engine of `config`, reset once, counts in each run of a list."""
    device = engine(config)
    device.configure_memory(memory)
    section = EngineSection(
        content=commands.constants + commands.words,
        queue_offset=len(commands.constants),
        queue_count=commands.commands,
        input_bytes=REGION_BYTES,
        output_bytes=REGION_BYTES,
        scratch_bytes=REGION_BYTES,
        inputs=(),
        outputs=(),
        layers=(),
        snapshots=(),
        predicted_cycles=0,
        peak_bricks=0,
    )
    loaded = LoadedSection(device, section, 0)
    return [loaded.run({})[1] for _ in range(times)]
