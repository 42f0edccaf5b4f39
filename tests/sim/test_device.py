"""The simulated device: registers, memory, interrupt, faults, time-outs, resets."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.chassis.device import Device, DeviceError, DeviceTimeout
from celosia.sim import AddressError, BurstError, Silence, SimulatedDevice, SimulatedPorts
from tests.sim import copy_engine
from tests.sim.copying import Copy, random_bytes, run, start
from tests.sim.waveform import read_cycles

CHECKOUT = Path(__file__).parents[2]
MEMORY_BYTES = 1 << 17
JOB = Copy()


@pytest.fixture
def device():
    with SimulatedDevice(copy_engine.copy_engine_verilog(), memory_bytes=MEMORY_BYTES) as device:
        device.write_memory(0, random_bytes(JOB.bytes(), seed=1))
        yield device


def copied(device: SimulatedDevice) -> bool:
    return (device.read_memory(JOB.destination, JOB.bytes()) == device.read_memory(0, JOB.bytes())).all()


def test_it_is_a_device(device):
    protocol: Device = device
    assert protocol.read_register(copy_engine.REGISTER_IDENTITY) == copy_engine.IDENTITY


def test_registers_hold_what_is_written(device):
    device.write_register(copy_engine.REGISTER_SOURCE, 0xDEADBEEF)
    assert device.read_register(copy_engine.REGISTER_SOURCE) == 0xDEADBEEF


def test_a_run_copies_and_counts(device):
    assert run(device, JOB) == 0
    assert copied(device)
    statistics = device.last_run
    assert (statistics.read_bursts, statistics.read_bytes) == (JOB.bursts, JOB.bytes())
    assert (statistics.write_bursts, statistics.write_bytes) == (JOB.bursts, JOB.bytes())
    # Busy rises with the clock after the start bit, and the interrupt with the clock after busy's last.
    assert statistics.cycles == device.read_register(copy_engine.REGISTER_CYCLES) + 1


def test_every_run_takes_the_same_cycles(device):
    cycles = []
    for seed in range(3):
        device.write_memory(0, random_bytes(JOB.bytes(), seed))
        run(device, JOB)
        cycles.append(device.last_run.cycles)
    assert len(set(cycles)) == 1


def test_memory_is_shared_without_a_copy(device):
    device.memory[:] = 7
    device.memory[: JOB.bytes()] = 9
    run(device, JOB)
    assert (device.memory[JOB.destination : JOB.destination + JOB.bytes()] == 9).all()
    device.close()
    assert device.memory[JOB.destination] == 9


def test_memory_takes_bytes_and_arrays_of_any_type(device):
    device.write_memory(16, b"\x01\x02")
    device.write_memory(18, np.array([[0x0403, 0x0605]], "<u2"))
    assert device.read_memory(16, 6).tolist() == [1, 2, 3, 4, 5, 6]


def test_memory_may_start_anywhere():
    with SimulatedDevice(
        copy_engine.copy_engine_verilog(), memory_bytes=MEMORY_BYTES, memory_base=0x8000_0000
    ) as device:
        job = Copy(source=0x8000_0000, destination=0x8001_0000)
        data = random_bytes(job.bytes(), seed=2)
        device.write_memory(job.source, data)
        assert run(device, job) == 0
        assert (device.memory[0x1_0000 : 0x1_0000 + job.bytes()] == data).all()
        with pytest.raises(
            DeviceError, match=r"16 bytes at address 0x0 are outside .* 0x80000000\.\.0x8001ffff"
        ):
            device.read_memory(0, 16)


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
@pytest.mark.parametrize("burst", [0, 5, 11])
def test_a_failing_read_burst_shows_in_all_its_beats(device, burst, response):
    device.inject(BurstError("read", burst, response))
    assert run(device, JOB) == JOB.burst_beats
    assert not copied(device)
    assert run(device, JOB) == 0, "the fault is over"
    assert copied(device)


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
def test_a_failing_write_burst_changes_nothing(device, response):
    device.inject(BurstError("write", 3, response))
    assert run(device, JOB) == 1
    burst_bytes = JOB.bytes() // JOB.bursts
    written = device.read_memory(JOB.destination, JOB.bytes()).reshape(JOB.bursts, burst_bytes)
    source = device.read_memory(0, JOB.bytes()).reshape(JOB.bursts, burst_bytes)
    assert not written[3].any()
    assert (np.delete(written, 3, axis=0) == np.delete(source, 3, axis=0)).all()


def test_bursts_that_touch_a_failing_address_fail_until_it_is_cleared(device):
    burst_bytes = JOB.bytes() // JOB.bursts
    device.inject(AddressError("read", burst_bytes - 1, burst_bytes + 1))
    device.inject(AddressError("write", JOB.destination, JOB.destination + 1, "SLVERR"))
    assert run(device, JOB) == 2 * JOB.burst_beats + 1
    device.clear_faults()
    assert run(device, JOB) == 0


@pytest.mark.parametrize(
    ("job", "errors"),
    [
        (Copy(source=MEMORY_BYTES - 128, bursts=2), 16),
        (Copy(destination=MEMORY_BYTES, bursts=2), 2),
        (Copy(source=0xFFFF_FF80, bursts=1), 16),
    ],
)
def test_memory_ends_where_it_ends(device, job, errors):
    assert run(device, job) == errors


@pytest.mark.parametrize("beats", [0, 1, 40, 200])
def test_a_silent_bus_ends_in_a_timeout_that_says_what_was_seen(device, beats):
    device.inject(Silence(beats))
    start(device, JOB)
    with pytest.raises(
        DeviceTimeout, match=r"no interrupt within 5000 cycles; seen: irq 0 in cycle \d+; reads: "
    ) as error:
        device.wait_for_interrupt(5000)
    assert "stop answering" in str(error.value)
    device.clear_faults()
    assert device.read_register(copy_engine.REGISTER_IDENTITY) == copy_engine.IDENTITY
    assert run(device, JOB) == 0, "the next run starts from a reset"
    assert copied(device)


def test_a_register_that_never_answers_is_a_timeout(device):
    with pytest.raises(DeviceTimeout, match="offset 0x7fc did not answer a read"):
        device.read_register(copy_engine.REGISTER_STUCK)
    with pytest.raises(DeviceTimeout, match="offset 0x7fc did not answer a write"):
        device.write_register(copy_engine.REGISTER_STUCK, 0)
    assert run(device, JOB) == 0


def test_a_register_error_is_a_device_error(device):
    with pytest.raises(DeviceError, match="register write at offset 256 answered SLVERR"):
        device.write_register(0x100, 0)


def test_a_reset_in_the_middle_of_a_run_leaves_a_clean_device(device):
    run(device, JOB)
    undisturbed = device.last_run
    for after in (1, 50, 300):
        start(device, JOB)
        with pytest.raises(DeviceTimeout):
            device.wait_for_interrupt(after)
        device.reset()
        assert device.cycle == 0
        assert run(device, JOB) == 0
        assert device.last_run == undisturbed


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (Copy(mode=copy_engine.MODE_WRONG_LAST), "wlast does not mark the last beat"),
        (Copy(source=4096 - 64), r"read burst crosses a 4 KiB boundary \(address 0xfc0"),
        (Copy(destination=0x11000 - 8), r"write burst crosses a 4 KiB boundary \(address 0x10ff8"),
    ],
)
def test_a_broken_rule_of_axi_is_named(device, job, message):
    with pytest.raises(DeviceError, match=message):
        run(device, job)
    assert run(device, JOB) == 0


def test_a_design_that_ends_itself_does_not_end_the_process():
    head, name, body = copy_engine.copy_engine_verilog().partition("module celosia")
    ending = "always @(posedge aclk) if (s_axil_wvalid && s_axil_wdata == 32'hdead) $finish;\nendmodule"
    with SimulatedDevice(head + name + body.replace("endmodule", ending, 1)) as device:
        assert run(device, JOB) == 0
        with pytest.raises(DeviceError, match=r"the design called \$finish"):
            device.write_register(copy_engine.REGISTER_SOURCE, 0xDEAD)


def test_a_negative_time_is_refused(device):
    with pytest.raises(DeviceError, match="timeout_cycles must be 0 or more, not -1"):
        device.wait_for_interrupt(-1)


def test_devices_in_one_process_are_independent():
    def simulate(seed: int) -> bool:
        with SimulatedDevice(copy_engine.copy_engine_verilog(), memory_bytes=MEMORY_BYTES) as device:
            device.write_memory(0, random_bytes(JOB.bytes(), seed))
            return run(device, JOB) == 0 and copied(device)

    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(simulate, range(6)))


def test_a_second_process_may_simulate_at_the_same_time(device):
    program = (
        "from celosia.sim import SimulatedDevice\n"
        "from tests.sim import copy_engine\n"
        "device = SimulatedDevice(copy_engine.copy_engine_verilog())\n"
        "print(hex(device.read_register(copy_engine.REGISTER_IDENTITY)))\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
    assert run(device, JOB) == 0
    assert other.communicate(timeout=120)[0].strip() == hex(copy_engine.IDENTITY)


def test_a_trace_holds_the_chosen_cycles(tmp_path):
    trace = tmp_path / "part.vcd"
    with SimulatedDevice(
        copy_engine.copy_engine_verilog(),
        memory_bytes=MEMORY_BYTES,
        trace=trace,
        trace_cycles=range(100, 150),
    ) as device:
        run(device, JOB)
        assert device.cycle > 150
    assert len(read_cycles(trace)) == 50


def test_a_trace_that_cannot_be_written_is_named(tmp_path):
    trace = tmp_path / "missing" / "run.vcd"
    with pytest.raises(DeviceError, match=r"cannot write the trace .*run\.vcd"):
        SimulatedDevice(copy_engine.copy_engine_verilog(), trace=trace)


def test_a_closed_device_says_so(device):
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="the device is closed"):
        device.read_register(0)


@pytest.mark.parametrize("offset", [-4, 2, 4096])
def test_offsets_outside_the_register_block_are_refused(device, offset):
    with pytest.raises(DeviceError, match=f"multiple of 4 in 0..4092, not {offset}"):
        device.read_register(offset)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"memory_bytes": 1000}, "memory_bytes must be a positive multiple of 4096, not 1000"),
        ({"memory_base": 1}, "memory_base must be a multiple of 4096, 0 or more, not 1"),
        ({"memory_base": 0xFFFF_F000, "memory_bytes": 8192}, r"at most 2\*\*32"),
    ],
)
def test_impossible_memories_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SimulatedDevice("", **arguments)


def test_unknown_trace_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\*\.vcd or \*\.fst, not 'run.txt'"):
        SimulatedDevice("", trace=tmp_path / "run.txt")


@pytest.mark.parametrize(("field", "value"), [("data_bits", 32), ("data_bits", 96), ("address_bits", 65)])
def test_impossible_ports_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} must be .*, not {value}"):
        SimulatedPorts(**{field: value})


@pytest.mark.parametrize(
    ("fault", "arguments", "message"),
    [
        (
            BurstError,
            (
                "up",
                0,
            ),
            "direction must be one of",
        ),
        (
            BurstError,
            (
                "read",
                0,
                "OKAY",
            ),
            "response must be one of",
        ),
        (
            BurstError,
            (
                "read",
                -1,
            ),
            "burst must be 0 or more",
        ),
        (
            AddressError,
            (
                "read",
                8,
                8,
            ),
            r"limit must be greater than first \(8\), not 8",
        ),
        (Silence, (-1,), "beats must be 0 or more"),
    ],
)
def test_impossible_faults_are_refused(fault, arguments, message):
    with pytest.raises(ValueError, match=message):
        fault(*arguments)


def test_only_so_many_faults(device):
    for burst in range(16):
        device.inject(BurstError("read", burst))
    with pytest.raises(DeviceError, match="call clear_faults first"):
        device.inject(BurstError("read", 16))
