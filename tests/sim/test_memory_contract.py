"""Every cycle of the simulated memory is what `MemoryModel` says."""

from dataclasses import replace
from fractions import Fraction

import pytest

from celosia.generators.chassis.device import DeviceError, DeviceTimeout
from celosia.generators.chassis.memory import MemoryModel
from celosia.sim import AddressError, BurstError, Silence, SimulatedDevice, SimulatedPorts
from tests.sim import copy_engine
from tests.sim.copying import Copy, random_bytes, run, start
from tests.sim.memory_contract import MemoryContract
from tests.sim.waveform import read_cycles

_ALL_PAUSES = copy_engine.MODE_PAUSE_READ_DATA | copy_engine.MODE_PAUSE_RESPONSES

MODELS = {
    "defaults": MemoryModel(),
    "fastest": MemoryModel(latency=1, bytes_per_cycle=Fraction(16)),
    "one burst at a time": MemoryModel(outstanding_reads=1, outstanding_writes=1),
    "slow": MemoryModel(latency=5, bytes_per_cycle=Fraction(1, 3)),
    "odd bandwidth": MemoryModel(latency=40, bytes_per_cycle=Fraction(77, 10)),
    "more than one way needs": MemoryModel(latency=3, bytes_per_cycle=Fraction(25, 2)),
    "far away": MemoryModel(latency=500, outstanding_reads=64),
    "rare pauses": MemoryModel(seed=1, pause_probability=Fraction(1, 20)),
    "many pauses": MemoryModel(seed=2**64 - 3, latency=2, pause_probability=Fraction(7, 10)),
    "slow with pauses": MemoryModel(seed=77, bytes_per_cycle=Fraction(9, 2)),
}

JOBS = {
    "streaming": Copy(),
    "single beats": Copy(bursts=40, burst_beats=1),
    "master pauses": Copy(mode=_ALL_PAUSES),
    "write address before data": Copy(mode=copy_engine.MODE_EARLY_WRITE_ADDRESS),
    "even bytes only": Copy(mode=copy_engine.MODE_STROBE_EVEN_BYTES | _ALL_PAUSES),
    "in place": Copy(destination=0, mode=copy_engine.MODE_EARLY_WRITE_ADDRESS),
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_every_cycle_follows_the_contract(model, job, tmp_path):
    ports = SimulatedPorts()
    contents = random_bytes(1 << 17, seed=5)
    trace = tmp_path / "run.vcd"
    with SimulatedDevice(
        copy_engine.copy_engine_verilog(), ports, memory_model=model, memory_bytes=contents.size, trace=trace
    ) as device:
        device.write_memory(0, contents)
        assert run(device, job) == 0
        cycles = device.cycle
    observed = read_cycles(trace)
    assert len(observed) == cycles

    contract = MemoryContract(model, contents.copy(), ports.beat_bytes)
    for number, ports_seen in enumerate(observed):
        seen = {name.removeprefix("m_axi_"): value for name, value in ports_seen.items()}
        expected = contract.cycle(seen)
        driven: dict[str, int | bytes] = {name: seen[name] for name in expected}
        if "rdata" in expected:
            driven["rdata"] = seen["rdata"].to_bytes(ports.beat_bytes, "little")
        assert driven == expected, f"cycle {number}"
    assert (device.memory == contract.memory).all()


IDLE: dict[str, int] = dict.fromkeys(
    (
        "arvalid",
        "araddr",
        "arlen",
        "rready",
        "awvalid",
        "awaddr",
        "awlen",
        "wvalid",
        "wdata",
        "wstrb",
        "wlast",
        "bready",
    ),
    0,
)


@pytest.mark.parametrize("weights_rate", [None, Fraction(6071, 1000), Fraction(1, 2)])
@pytest.mark.parametrize("job", [JOBS["streaming"], JOBS["master pauses"]], ids=["streaming", "pauses"])
@pytest.mark.parametrize(
    "model",
    [MODELS["defaults"], MODELS["slow with pauses"], MODELS["many pauses"]],
    ids=["defaults", "slow with pauses", "many pauses"],
)
def test_every_cycle_of_a_port_for_weights_follows_a_contract_of_its_own(model, job, weights_rate, tmp_path):
    ports = SimulatedPorts(weights_bits=64)
    model = replace(model, weights_bytes_per_cycle=weights_rate)
    contents = random_bytes(1 << 17, seed=5)
    trace = tmp_path / "run.vcd"
    with SimulatedDevice(
        copy_engine.weights_copy_engine_verilog(),
        ports,
        memory_model=model,
        memory_bytes=contents.size,
        trace=trace,
    ) as device:
        device.write_memory(0, contents)
        assert run(device, job) == 0
        statistics = device.last_run
    assert (statistics.read_bytes, statistics.weights_bytes) == (0, job.bytes())
    assert (statistics.weights_bursts, statistics.write_bytes) == (job.bursts, job.bytes())
    rate = Fraction(8) if weights_rate is None else weights_rate
    seed = None if model.seed is None else model.seed ^ (1 << 63)
    reads = MemoryContract(replace(model, bytes_per_cycle=rate, seed=seed), contents.copy(), 8)
    writes = MemoryContract(model, contents.copy(), 8)
    for number, seen in enumerate(read_cycles(trace)):
        for contract, prefix in ((reads, "m_axi_weights_"), (writes, "m_axi_")):
            driven = {
                name.removeprefix(prefix): value for name, value in seen.items() if name.startswith(prefix)
            }
            expected = contract.cycle({**IDLE, **driven})
            for name, value in expected.items():
                if name in driven:
                    found = driven[name]
                    assert (found.to_bytes(8, "little") if name == "rdata" else found) == value, (
                        f"cycle {number}, {prefix}{name}"
                    )
    assert (device.memory == writes.memory).all()


@pytest.mark.parametrize("weights_bits", [128, 512])
def test_a_port_for_weights_may_be_wide(weights_bits):
    ports = SimulatedPorts(data_bits=weights_bits, weights_bits=weights_bits)
    job = Copy(bursts=4, burst_beats=8)
    size = job.bytes(ports.weights_beat_bytes)
    verilog = copy_engine.weights_copy_engine_verilog(weights_bits)
    with SimulatedDevice(verilog, ports, memory_bytes=1 << 17) as device:
        data = random_bytes(size, seed=weights_bits)
        device.write_memory(0, data)
        assert run(device, job) == 0
        assert (device.read_memory(job.destination, size) == data).all()
        assert device.last_run.weights_bytes == size


@pytest.fixture
def two_ports():
    ports = SimulatedPorts(weights_bits=64)
    with SimulatedDevice(copy_engine.weights_copy_engine_verilog(), ports, memory_bytes=1 << 17) as device:
        yield device


def test_faults_of_a_port_for_weights(two_ports):
    job = Copy(bursts=4, burst_beats=8)
    two_ports.inject(BurstError("weights", 2))
    assert run(two_ports, job) == job.burst_beats
    two_ports.clear_faults()
    two_ports.inject(AddressError("read", 64, 65))
    assert run(two_ports, job) == job.burst_beats
    two_ports.clear_faults()
    two_ports.inject(BurstError("read", 0))
    assert run(two_ports, job) == 0


def test_a_memory_that_falls_silent_does_so_on_both_ports(two_ports):
    two_ports.inject(Silence(0))
    start(two_ports, Copy())
    with pytest.raises(DeviceTimeout):
        two_ports.wait_for_interrupt(1000)
    assert two_ports.last_run.weights_bytes == 0
    two_ports.clear_faults()
    assert run(two_ports, Copy()) == 0


def test_a_fault_of_a_port_that_is_not_there_is_refused():
    device = SimulatedDevice(copy_engine.copy_engine_verilog(), memory_bytes=1 << 17)
    with device, pytest.raises(DeviceError, match="there is no port for weights"):
        device.inject(BurstError("weights", 0))


@pytest.mark.parametrize("data_bits", [128, 256, 512])
def test_wide_ports_move_whole_beats_in_the_same_number_of_cycles(data_bits):
    ports = SimulatedPorts(data_bits=data_bits)
    verilog = copy_engine.copy_engine_verilog(data_bits)
    model = MemoryModel(bytes_per_cycle=Fraction(ports.beat_bytes))
    job = Copy(bursts=4, burst_beats=8)
    size = job.bytes(ports.beat_bytes)
    with SimulatedDevice(verilog, ports, memory_model=model, memory_bytes=1 << 17) as device:
        data = random_bytes(size, seed=data_bits)
        device.write_memory(0, data)
        assert run(device, job) == 0
        assert (device.read_memory(job.destination, size) == data).all()
        assert device.last_run.read_bytes == device.last_run.write_bytes == size
        wide_cycles = device.last_run.cycles
    with SimulatedDevice(copy_engine.copy_engine_verilog(), memory_bytes=1 << 17) as narrow:
        run(narrow, job)
        assert narrow.last_run.cycles == wide_cycles


def test_bandwidth_is_shared_by_reads_and_writes():
    job = Copy(bursts=200)
    with SimulatedDevice(copy_engine.copy_engine_verilog(), memory_bytes=1 << 17) as device:
        run(device, job)
        moved = device.last_run.read_bytes + device.last_run.write_bytes
        assert moved / 8 < device.last_run.cycles < moved / 8 * 1.2
        device.configure_memory(MemoryModel(bytes_per_cycle=Fraction(2)))
        run(device, job)
        assert moved / 2 < device.last_run.cycles < moved / 2 * 1.05


def test_the_same_seed_gives_the_same_cycles_and_another_seed_others():
    cycles = []
    for seed in (3, 3, 4):
        model = MemoryModel(seed=seed)
        with SimulatedDevice(
            copy_engine.copy_engine_verilog(), memory_model=model, memory_bytes=1 << 17
        ) as device:
            run(device, Copy())
            cycles.append(device.last_run.cycles)
    assert cycles[0] == cycles[1] != cycles[2]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("latency", 0, r"latency must be 1\.\.1048576, not 0"),
        ("outstanding_reads", 65, r"outstanding_reads must be 1\.\.64, not 65"),
        ("outstanding_writes", 0, r"outstanding_writes must be 1\.\.64, not 0"),
        ("bytes_per_cycle", Fraction(0), "bytes_per_cycle must be positive, not 0"),
        ("bytes_per_cycle", Fraction(1, 1 << 30), "limit_denominator"),
        ("weights_bytes_per_cycle", Fraction(-1), "weights_bytes_per_cycle must be positive, not -1"),
        ("seed", -1, r"seed must be 0\.\.18446744073709551615, not -1"),
        ("pause_probability", Fraction(1), "pause_probability must be 0 or more and less than 1, not 1"),
    ],
)
def test_values_outside_their_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        replace(MemoryModel(), **{field: value})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("latency", 1.5, "latency must be an int, not float"),
        ("latency", True, "latency must be an int, not bool"),
        (
            "bytes_per_cycle",
            7.7,
            r"bytes_per_cycle must be an int or a fractions.Fraction.*Fraction\('7.7'\)",
        ),
    ],
)
def test_values_of_another_type_are_refused(field, value, message):
    with pytest.raises(TypeError, match=message):
        replace(MemoryModel(), **{field: value})
