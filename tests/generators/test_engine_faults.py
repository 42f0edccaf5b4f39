"""The engine of every family under faults: each ends in a named error with its command, and the next run is right.

The engine is only started again after an error, never reset from outside, unless the memory itself fell silent.
"""

import random

import pytest

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.families import find_preset
from celosia.sim import BurstError, Silence
from tests.families import DEFAULTS
from tests.fault_bench import WATCHDOG, FaultBench, fault_bench


@pytest.fixture(scope="module", params=DEFAULTS)
def bench(request: pytest.FixtureRequest) -> FaultBench:
    return fault_bench(find_preset(request.param))


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
