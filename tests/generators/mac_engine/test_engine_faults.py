"""The whole engine under faults: each ends in a named error with its command, and the next run is right.

The engine is only started again after an error, never reset from outside, unless the memory itself fell silent.
"""

import random
from dataclasses import dataclass

import numpy as np
import pytest

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import WEIGHTS
from celosia.host.compiler import compile_graph
from celosia.host.driver import LoadedSection, region_places
from celosia.host.program import EngineSection
from celosia.host.tflite.importer import parse_tflite
from celosia.sim import BurstError, Silence, SimulatedDevice
from tests.engine_bench import engine
from tests.tflite_writer import random_model

CONFIG = PRESETS["u55-128"]
WATCHDOG = 4000
SEED = 20


@dataclass(frozen=True)
class Bench:
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


@pytest.fixture(scope="module")
def bench() -> Bench:
    content, description = random_model("NETWORK", 3)
    graph = parse_tflite(content, description).graph
    assert graph is not None
    (section,) = compile_graph(graph, CONFIG).engine_sections
    device = engine(CONFIG)
    device.configure_memory(MemoryModel())
    rng = np.random.default_rng(SEED)
    inputs = {
        binding.tensor: rng.integers(-128, 128, section.input_bytes, np.int8) for binding in section.inputs
    }
    output = region_places(section, 0)[Region.OUTPUT]
    device.write_memory(
        output.address, bytes(section.output_bytes)
    )  # other tests leave theirs between tensors
    _, run = LoadedSection(device, section, 0).run(inputs)
    golden = device.read_memory(output.address, section.output_bytes).tobytes()
    return Bench(device, section, inputs, golden, run.total.cycles)


@pytest.mark.parametrize(("response", "code"), [("SLVERR", 2), ("DECERR", 3)])
@pytest.mark.parametrize("direction", ["read", "write"])
def test_an_error_on_any_burst(bench, direction, response, code):
    assert bench.recovers()
    bursts = getattr(bench.device.last_run, f"{direction}_bursts")
    assert bursts > 0
    for burst in range(bursts):
        bench.device.inject(BurstError(direction, burst, response))
        assert bench.run() == code, f"{direction} burst {burst}"
        assert bench.status() == {"error", "interrupt"}
        readers = (Opcode.BEGIN, Opcode.LOAD, Opcode.WEIGHTS)
        if direction == "write":
            assert bench.faulting_opcode() is Opcode.STORE
        elif bench.read(registers.ERROR_ADDRESS_LO) < bench.section.queue_offset:
            assert bench.faulting_opcode() in readers
        assert bench.recovers(), f"after {direction} burst {burst}"


@pytest.mark.parametrize("seed", range(8))
def test_a_memory_that_falls_silent(bench, seed):
    beats = random.Random(seed).randrange(bench.device.last_run.read_bytes // 8)
    bench.set_up()
    bench.device.inject(Silence(beats))
    assert bench.run() is ErrorCode.WATCHDOG, f"seed {seed}, {beats} beats"
    assert bench.status() == {"error", "interrupt", "bus_lost"}
    bench.faulting_opcode()
    assert bench.device.last_run.cycles < bench.cycles + 3 * WATCHDOG
    bench.device.clear_faults()
    bench.device.reset()
    assert bench.recovers()


@pytest.mark.parametrize(
    ("region", "opcode"),
    [(Region.INPUT, Opcode.LOAD), (Region.OUTPUT, Opcode.STORE), (Region.PROGRAM, Opcode.BEGIN)],
)
def test_a_command_outside_of_its_region(bench, region, opcode):
    bench.set_up()
    bench.write(registers.REGION_LIMIT[region], 1)
    assert bench.run() is ErrorCode.OUT_OF_REGION
    assert bench.faulting_opcode() is opcode
    assert bench.read(registers.ERROR_INDEX) == bench.command_indices(opcode)[0]
    assert bench.recovers()


@pytest.mark.parametrize("seed", range(6))
def test_an_unknown_command(bench, seed):
    index = random.Random(seed).randrange(bench.section.queue_count)
    bench.set_up()
    place = bench.address(Region.PROGRAM) + bench.section.queue_offset + index * COMMAND_BYTES
    bench.device.write_memory(place, b"\x7f")
    assert bench.run() is ErrorCode.ILLEGAL_COMMAND
    assert bench.read(registers.ERROR_INDEX) == index
    assert bench.recovers()


def test_a_program_for_another_configuration(bench):
    bench.set_up()
    place = bench.address(Region.PROGRAM) + bench.section.queue_offset + 8
    bench.device.write_memory(place, bytes(8))
    assert bench.run() is ErrorCode.CONFIGURATION_MISMATCH
    assert bench.read(registers.ERROR_INDEX) == 0
    assert bench.recovers()


def test_weights_that_are_not_what_their_command_says(bench):
    (index, *_) = bench.command_indices(Opcode.WEIGHTS)
    bench.set_up()
    place = bench.address(Region.PROGRAM) + bench.section.queue_offset + index * COMMAND_BYTES
    fields = WEIGHTS.decode(bench.device.read_memory(place, COMMAND_BYTES).tobytes())
    coding = {"words": 8000, "vectors": 8000, "live_lanes": 8, "remainder_bits": 2, "unary_planes": 3}
    for changes in (coding, {**coding, "live_lanes": 7}):
        bench.set_up()
        bench.device.write_memory(place, WEIGHTS.encode({**fields, **changes}))
        assert bench.run() is ErrorCode.MALFORMED_WEIGHTS
        assert bench.status() == {"error", "interrupt"}
        assert bench.read(registers.ERROR_INDEX) == index
        assert bench.recovers()


def test_a_token_that_never_comes(bench):
    (index, *_) = bench.command_indices(Opcode.STORE)
    bench.set_up()
    place = bench.address(Region.PROGRAM) + bench.section.queue_offset + index * COMMAND_BYTES
    # wait_compute, bits 20..25 of the header: COMPUTE gives STORE no tokens.
    word = int.from_bytes(bench.device.read_memory(place, 8).tobytes(), "little")
    bench.device.write_memory(place, (word | 1 << 20).to_bytes(8, "little"))
    assert bench.run() is ErrorCode.WATCHDOG
    assert bench.status() == {"error", "interrupt"}
    assert bench.read(registers.ERROR_INDEX) == index
    assert bench.recovers()


@pytest.mark.parametrize("seed", range(24))
def test_a_reset_in_the_middle_of_a_run(bench, seed):
    delay = random.Random(seed).randrange(bench.cycles)
    bench.set_up()
    begun = bench.device.cycle
    bench.start()
    while bench.device.cycle < begun + delay:
        bench.status()
    bench.write(registers.CONTROL, registers.CONTROL.mask("reset"))
    for _ in range(WATCHDOG):
        if bench.status() == {"idle"}:
            break
    assert bench.status() == {"idle"}, f"seed {seed}, after {delay} cycles"
    assert bench.recovers(), f"seed {seed}, after {delay} cycles"


@pytest.mark.parametrize("seed", range(6))
def test_a_reset_pin_in_the_middle_of_a_run(bench, seed):
    delay = random.Random(seed).randrange(bench.cycles)
    bench.set_up()
    begun = bench.device.cycle
    bench.start()
    while bench.device.cycle < begun + delay:
        bench.status()
    bench.device.reset()
    assert bench.status() == {"idle"}
    assert bench.recovers()


@pytest.mark.parametrize("seed", range(4))
def test_random_back_pressure_changes_cycles_and_nothing_else(bench, seed):
    bench.device.configure_memory(MemoryModel(latency=1 + 13 * seed, seed=seed))
    bench.set_up()
    assert bench.run() is ErrorCode.NONE
    assert bench.outputs() == bench.golden
    bench.device.configure_memory(MemoryModel())
    assert bench.recovers()
