"""A network's command list on a simulated engine, started register by register, with faults of the memory."""

from dataclasses import dataclass

import numpy as np

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.register_map import ErrorCode
from celosia.host.compiler import compile_graph
from celosia.host.driver import LoadedSection, region_places
from celosia.host.program import EngineSection
from celosia.host.tflite.importer import parse_tflite
from celosia.sim import SimulatedDevice
from tests.engine_bench import engine
from tests.tflite_writer import random_model

__all__ = ["WATCHDOG", "FaultBench", "fault_bench"]

WATCHDOG = 4000
_SEED = 20


@dataclass(frozen=True)
class FaultBench:
    """One engine section on a simulated engine, started register by register."""

    device: SimulatedDevice
    section: EngineSection
    inputs: dict[int, np.ndarray]
    golden: bytes
    cycles: int

    def address(self, region: Region) -> int:
        return region_places(self.section, 0)[region].address

    def read(self, register: registers.Register) -> int:
        return self.device.read_register(register.offset)

    def write(self, register: registers.Register, value: int) -> None:
        self.device.write_register(register.offset, value)

    def status(self) -> set[str]:
        value = self.read(registers.STATUS)
        return {entry.name for entry in registers.STATUS.fields if value & entry.mask}

    def set_up(self) -> None:
        """Everything as the driver leaves it before a start, and a watchdog short enough for tests."""
        self.device.write_memory(self.address(Region.PROGRAM), self.section.content)
        for region, place in region_places(self.section, 0).items():
            self.write(registers.REGION_BASE_LO[region], place.address)
            self.write(registers.REGION_LIMIT[region], place.size)
        self.write(registers.QUEUE_OFFSET, self.section.queue_offset)
        self.write(registers.QUEUE_COUNT, self.section.queue_count)
        self.write(registers.WATCHDOG_CYCLES, WATCHDOG)
        self.device.write_memory(self.address(Region.OUTPUT), bytes(self.section.output_bytes))

    def start(self) -> None:
        self.write(registers.CONTROL, registers.CONTROL.mask("start"))

    def run(self) -> ErrorCode:
        self.start()
        self.device.wait_for_interrupt(self.cycles + 3 * WATCHDOG)
        return ErrorCode(self.read(registers.ERROR_CODE))

    def outputs(self) -> bytes:
        return self.device.read_memory(self.address(Region.OUTPUT), self.section.output_bytes).tobytes()

    def recovers(self) -> bool:
        """Another run, without any reset, ends well and with the right result in the usual time."""
        self.device.clear_faults()
        self.set_up()
        ended = self.run()
        cycles = self.read(registers.COUNTERS[0])
        return (ended, cycles, self.outputs()) == (ErrorCode.NONE, self.cycles, self.golden)

    def faulting_opcode(self) -> Opcode:
        index = self.read(registers.ERROR_INDEX)
        assert index < self.section.queue_count
        start = self.section.queue_offset + index * COMMAND_BYTES
        return Opcode(self.section.content[start])

    def command_indices(self, opcode: Opcode) -> list[int]:
        words = self.section.content[self.section.queue_offset :]
        return [index for index in range(self.section.queue_count) if words[index * COMMAND_BYTES] == opcode]


def fault_bench(config: EngineConfig) -> FaultBench:
    """A small network on the engine of `config`, which has run once, without faults."""
    content, description = random_model("NETWORK", 3)
    graph = parse_tflite(content, description).graph
    assert graph is not None
    (section,) = compile_graph(graph, config).engine_sections
    device = engine(config)
    device.configure_memory(MemoryModel())
    rng = np.random.default_rng(_SEED)
    inputs = {
        binding.tensor: rng.integers(-128, 128, section.input_bytes, np.int8) for binding in section.inputs
    }
    output = region_places(section, 0)[Region.OUTPUT]
    device.write_memory(
        output.address, bytes(section.output_bytes)
    )  # other tests leave theirs between tensors
    _, run = LoadedSection(device, section, 0).run(inputs)
    golden = device.read_memory(output.address, section.output_bytes).tobytes()
    return FaultBench(device, section, inputs, golden, run.total.cycles)
