"""The chassis end to end on the simulator: programs that move data, faults, resets, watchdog, counters."""

import numpy as np
import pytest

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import BEGIN, LOAD, STORE, Region
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.register_map import ErrorCode
from celosia.sim import AddressError, BurstError, Silence, SimulatedDevice
from tests.generators.chassis.moving_engine import (
    ACTIVATE,
    COMPUTE,
    HASH,
    MEMORY_BYTES,
    QUEUE_OFFSET,
    REGION_ADDRESS,
    REGION_BYTES,
    WATCHDOG,
    WEIGHTS,
    Outcome,
    copy_program,
    fill,
    outcome,
    program,
    run,
    set_up,
    soft_reset,
    start,
    status,
    transfer,
    verilog,
)

DONE = {"done", "interrupt"}
FAILED = {"error", "interrupt"}
COPY = copy_program(rows=5, width=7, channels=19)
COPIED_BYTES = 5 * 7 * 19


@pytest.fixture
def device():
    with SimulatedDevice(verilog(), memory_bytes=MEMORY_BYTES) as device:
        yield device


def copied(device: SimulatedDevice, seed: int = 1) -> bool:
    """Run COPY on fresh data and compare."""
    data = fill(device, seed)
    return run(device, COPY).status == DONE and stored(device, COPIED_BYTES) == data[:COPIED_BYTES].tobytes()


def stored(device: SimulatedDevice, size: int, offset: int = 0) -> bytes:
    return device.read_memory(REGION_ADDRESS[Region.OUTPUT] + offset, size).tobytes()


def failed(result: Outcome) -> tuple[set[str], ErrorCode, int]:
    return result.status, result.error, result.index


def test_identity_registers(device):
    assert device.read_register(registers.MAGIC.offset) == registers.MAGIC_VALUE
    assert device.read_register(registers.FAMILY.offset) == 99
    low = device.read_register(registers.CONFIG_HASH_LO.offset)
    high = device.read_register(registers.CONFIG_HASH_HI.offset)
    assert low | high << 32 == HASH
    assert status(device) == {"idle"}


@pytest.mark.parametrize(
    ("rows", "width", "channels", "offset"), [(1, 1, 1, 0), (3, 5, 8, 8), (4, 6, 13, 3), (2, 40, 33, 5)]
)
def test_a_program_moves_bytes_and_nothing_else(device, rows, width, channels, offset):
    data = fill(device, seed=3)
    result = run(device, copy_program(rows, width, channels, offset))
    size = rows * width * channels
    assert result.status == DONE
    assert result.error is ErrorCode.NONE
    expected = np.zeros(REGION_BYTES, np.uint8)
    expected[offset : offset + size] = data[offset : offset + size]
    assert stored(device, REGION_BYTES) == expected.tobytes()


def test_weights_reach_their_destination(device):
    data = fill(device, seed=4)
    words = program(
        WEIGHTS.encode({"region": Region.INPUT, "offset": 16, "beats": 100, "address": 8, "signal": 1 << 4}),
        STORE.encode({**transfer(Region.OUTPUT, 0, 1, 100, 8, row=8), "wait_weights": 1}),
    )
    assert run(device, words).status == DONE
    assert stored(device, 800) == data[16:816].tobytes()


def test_cycles_are_counted_as_the_harness_counts_them_and_have_one_cause_each(device):
    fill(device, seed=5)
    counters = run(device, COPY).counters
    assert counters["CYCLES"] == device.last_run.cycles
    causes = ("ACTIVE", "STALL_WEIGHTS", "STALL_IFM", "STALL_OFM", "STALL_DMA")
    assert sum(counters[name] for name in causes) == counters["CYCLES"]
    assert counters["BYTES_READ"] == device.last_run.read_bytes
    assert counters["BYTES_WRITTEN"] == COPIED_BYTES


def test_every_run_takes_the_same_cycles(device):
    cycles = set()
    for seed in range(3):
        fill(device, seed)
        cycles.add(run(device, COPY).counters["CYCLES"])
    assert len(cycles) == 1


def test_stalls_are_put_down_to_the_missing_token(device):
    fill(device, seed=6)
    load = {**transfer(Region.INPUT, 0, 4, 16, 16), "signal": 1 << 2}
    counters = run(device, program(LOAD.encode(load), COMPUTE.encode({"wait_load": 1}))).counters
    assert counters["STALL_IFM"] > 60
    assert counters["STALL_WEIGHTS"] == counters["STALL_OFM"] == 0
    weights = {"region": Region.INPUT, "offset": 0, "beats": 64, "signal": 1 << 2}
    counters = run(device, program(WEIGHTS.encode(weights), COMPUTE.encode({"wait_weights": 1}))).counters
    assert counters["STALL_WEIGHTS"] > 60
    assert counters["ACTIVE"] == 1


def test_snapshots_profile_a_run_and_add_up(device):
    fill(device, seed=7)
    load = transfer(Region.INPUT, 0, 4, 16, 16)
    words = program(
        LOAD.encode({**load, "signal": 1 << 3}),
        ACTIVATE.encode({"wait_load": 1, "snapshot": 1}),
        LOAD.encode({**load, "signal": 1 << 3}),
        ACTIVATE.encode({"wait_load": 1, "snapshot": 1}),
    )
    counters = run(device, words).counters
    assert device.read_register(registers.PROFILE_COUNT.offset) == 2
    entries = []
    for entry in range(2):
        words = []
        for place in range(8):
            device.write_register(registers.PROFILE_INDEX.offset, entry * 8 + place)
            words.append(device.read_register(registers.PROFILE_DATA.offset))
        assert words[0] == sum(words[1:6])
        entries.append(words)
    assert 0 < entries[0][0] < entries[1][0] <= counters["CYCLES"]
    assert entries[1][6] - entries[0][6] == 4 * 16 * 16


def test_the_same_program_under_back_pressure(device):
    for seed in range(4):
        device.configure_memory(MemoryModel(latency=1 + 9 * seed, seed=seed))
        assert copied(device, seed), f"seed {seed}"


def test_interrupt_clear_lowers_the_line(device):
    fill(device, seed=1)
    run(device, COPY)
    device.write_register(registers.CONTROL.offset, registers.CONTROL.mask("interrupt_clear"))
    assert status(device) == {"done"}


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
@pytest.mark.parametrize(
    ("region", "direction", "index"),
    [(Region.PROGRAM, "read", 0), (Region.INPUT, "read", 1), (Region.OUTPUT, "write", 2)],
)
def test_an_error_of_the_memory_is_named_with_its_command(device, response, region, direction, index):
    fill(device, seed=1)
    address = REGION_ADDRESS[region]
    device.inject(AddressError(direction, address, address + REGION_BYTES, response))
    result = run(device, COPY)
    code = ErrorCode.BUS_SLAVE_ERROR if response == "SLVERR" else ErrorCode.BUS_DECODE_ERROR
    assert failed(result) == (FAILED, code, index)
    assert address <= result.address < address + REGION_BYTES
    device.clear_faults()
    assert copied(device)


def test_an_error_on_any_burst_ends_the_run_and_the_next_is_right(device):
    fill(device, seed=1)
    run(device, COPY)
    faults = [BurstError("read", burst) for burst in range(device.last_run.read_bursts)]
    faults += [BurstError("write", burst) for burst in range(device.last_run.write_bursts)]
    for fault in faults:
        device.inject(fault)
        result = run(device, COPY)
        assert (result.status, result.error) == (FAILED, ErrorCode.BUS_SLAVE_ERROR), fault
        device.clear_faults()
        assert copied(device), f"after {fault}"


@pytest.mark.parametrize(
    ("commands", "code", "index"),
    [
        (
            program(LOAD.encode(transfer(Region.INPUT, REGION_BYTES - 63, 1, 8, 8))),
            ErrorCode.OUT_OF_REGION,
            1,
        ),
        (
            program(
                LOAD.encode(transfer(Region.INPUT, 0, 1, 8, 8)),
                STORE.encode(transfer(Region.OUTPUT, 0xFFFFFFF8, 1, 8, 8)),
            ),
            ErrorCode.OUT_OF_REGION,
            2,
        ),
        (
            program(WEIGHTS.encode({"region": Region.SCRATCH, "offset": 8, "beats": REGION_BYTES // 8})),
            ErrorCode.OUT_OF_REGION,
            1,
        ),
        (program(COMPUTE.encode({}), bytes([0x33]) + bytes(63)), ErrorCode.ILLEGAL_COMMAND, 2),
        (program(BEGIN.encode({"configuration_hash": HASH})), ErrorCode.ILLEGAL_COMMAND, 1),
        (program(configuration_hash=HASH + 1), ErrorCode.CONFIGURATION_MISMATCH, 0),
        (
            program(
                ACTIVATE.encode({}), COMPUTE.encode({"wait_store": 1}), ACTIVATE.encode({"wait_load": 1})
            ),
            ErrorCode.WATCHDOG,
            2,
        ),
    ],
)
def test_a_wrong_program_ends_with_its_error(device, commands, code, index):
    fill(device, seed=1)
    result = run(device, commands)
    assert failed(result) == (FAILED, code, index)
    assert copied(device)


def test_nothing_is_written_beyond_a_region(device):
    fill(device, seed=1)
    before = device.read_memory(0, MEMORY_BYTES)
    words = program(STORE.encode(transfer(Region.OUTPUT, REGION_BYTES - 8, 1, 2, 8)))
    set_up(device, words)
    assert failed(run(device, words)) == (FAILED, ErrorCode.OUT_OF_REGION, 1)
    address = REGION_ADDRESS[Region.PROGRAM] + QUEUE_OFFSET
    before[address : address + len(words)] = np.frombuffer(words, np.uint8)
    assert (device.read_memory(0, MEMORY_BYTES) == before).all()


@pytest.mark.parametrize(
    ("beats", "index"), [(0, 0), (3, 1), (20, 1), (33, 1), (60, 1), (119, 2), (120, 2), (180, 2)]
)
def test_a_silent_bus_ends_in_bounded_time_and_names_the_command_that_waits(device, beats, index):
    fill(device, seed=1)
    device.inject(Silence(beats))
    result = run(device, COPY)
    assert result.error is ErrorCode.WATCHDOG
    assert result.index == index
    assert {"error", "bus_lost"} <= result.status
    assert device.last_run.cycles < 3 * WATCHDOG
    device.clear_faults()
    device.reset()
    assert copied(device)


@pytest.mark.parametrize("delay", range(0, 400, 23))
def test_a_soft_reset_at_any_moment_drains_and_the_next_run_is_right(device, delay):
    fill(device, seed=1)
    set_up(device, COPY)
    start(device)
    while device.cycle < delay:
        status(device)
    soft_reset(device)
    assert status(device) == {"idle"}
    assert copied(device)


def test_start_while_running_is_ignored(device):
    data = fill(device, seed=8)
    set_up(device, COPY)
    start(device)
    start(device)
    device.wait_for_interrupt(10_000)
    assert outcome(device).status == DONE
    assert stored(device, COPIED_BYTES) == data[:COPIED_BYTES].tobytes()
