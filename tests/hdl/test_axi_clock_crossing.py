"""AxiClockCrossing: a memory of another clock answers as if it were near, whatever the ratio of the clocks."""

import random
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, DomainRenamer, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.hdl.axi_clock_crossing import AxiClockCrossing
from tests.axi_master import AxiMaster, Burst, random_write
from tests.gateware import CYCLE_LIMIT

SIZE = 1 << 12


def crossing(**change: Any) -> AxiClockCrossing:
    widths = {"address_bits": 16, "data_bits": 64, "bus_domain": "sync", "memory_domain": "memory"}
    return AxiClockCrossing(**{**widths, **change})


class FarMemory(wiring.Component):
    """Block RAM in the domain `memory`, behind a crossing."""

    bus: AxiBus

    def __init__(self, depth: int = 16) -> None:
        self._depth = depth
        super().__init__({"bus": In(AxiSignature(16, 64))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.memory = ClockDomain()
        m.submodules.crossing = port = crossing(depth=self._depth)
        m.submodules.memory = ram = DomainRenamer("memory")(
            AxiBlockRam(address_bits=16, data_bits=64, size=SIZE)
        )
        wiring.connect(m, wiring.flipped(self.bus), port.bus)
        wiring.connect(m, port.memory, ram.bus)
        return m


def run(top: FarMemory, master: AxiMaster, testbenches: list[Any], memory_period: float) -> None:
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_clock(memory_period * 1e-6, phase=0.3e-6, domain="memory")
    simulator.add_testbench(master.watch, background=True)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    for _ in range(4 * CYCLE_LIMIT):
        if not simulator.advance():
            return
    raise TimeoutError(f"not finished after {4 * CYCLE_LIMIT} clock edges")


def random_burst(generator: random.Random) -> tuple[int, int]:
    beats = generator.choice([1, 2, 8, 32, 60])
    return 8 * generator.randrange(600 - beats), beats  # the last ones are refused


@pytest.mark.parametrize("memory_period", [0.61, 0.97, 1.03, 1.9])
def test_random_traffic_keeps_every_byte(memory_period: float) -> None:
    top = FarMemory()
    master = AxiMaster(top.bus, SIZE, pause=0.1, seed=3)
    generator = random.Random(4)
    writes = [random_write(generator, *random_burst(generator)) for _ in range(15)]
    reads = [Burst(*random_burst(generator)) for _ in range(10)]
    reads += [Burst(write.address, write.beats) for write in writes]
    run(top, master, [*master.read(reads), *master.write(writes)], memory_period)


@pytest.mark.parametrize(
    ("memory_period", "depth", "cycles"), [(0.8, 16, 128), (1.0, 8, 128), (1.6, 16, 205)]
)
def test_runs_at_the_rate_of_the_slower_clock(memory_period: float, depth: int, cycles: int) -> None:
    top = FarMemory(depth)
    master = AxiMaster(top.bus, SIZE)
    run(top, master, master.read([Burst(256 * n, 32) for n in range(4)]), memory_period)
    beats = master.handshakes["r"]
    assert beats[-1] - beats[0] + 1 == pytest.approx(cycles, abs=1)


def test_there_and_back_adds_5_cycles_at_equal_clocks() -> None:
    top = FarMemory()
    master = AxiMaster(top.bus, SIZE)
    run(top, master, master.read([Burst(0, 1)]), 1.0)
    near = 3
    assert master.handshakes["r"][0] - master.handshakes["ar"][0] == near + 5


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"depth": 2}, ValueError, "depth must be a power of two from 4 on, not 2"),
        ({"depth": 12}, ValueError, "depth must be a power of two from 4 on, not 12"),
        ({"depth": 8.0}, TypeError, "depth must be an int, not 8.0"),
        (
            {"memory_domain": "sync"},
            ValueError,
            "memory_domain must be another than bus_domain, not 'sync' for both",
        ),
    ],
)
def test_refuses_what_it_cannot_be(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        crossing(**change)
