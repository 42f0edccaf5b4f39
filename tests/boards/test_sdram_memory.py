"""SdramMemory: the chip answers a bus of another clock, through the package's pins."""

import random
from dataclasses import replace

import pytest
from amaranth.hdl import ClockDomain, DomainRenamer, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from celosia.boards.sdram_io import SdramIo
from celosia.boards.sdram_memory import MEMORY_DOMAIN, SdramMemory
from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from tests.axi_master import AxiMaster, Burst, random_write
from tests.boards.sdram_package import Chip, Ports, ports
from tests.gateware import CYCLE_LIMIT
from tests.sdram_model import SdramModel

GEOMETRY = SdramGeometry()
TIMING = replace(AS4C16M16SA_7, power_up=1000)


class Board(wiring.Component):
    """An AXI port in `sync` and the pins of a package."""

    bus: AxiBus

    def __init__(self, package: Ports, frequency: int) -> None:
        self._package = package
        self._frequency = frequency
        super().__init__({"bus": In(AxiSignature(32, 64))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += ClockDomain(MEMORY_DOMAIN)
        m.submodules.memory = memory = SdramMemory(
            GEOMETRY, TIMING, address_bits=32, frequency=self._frequency
        )
        pins = SdramIo(GEOMETRY, self._package)
        m.submodules.pins = DomainRenamer(MEMORY_DOMAIN)(pins)
        wiring.connect(m, wiring.flipped(self.bus), memory.bus)
        wiring.connect(m, memory.pins, pins.pins)
        return m


@pytest.mark.parametrize(("bus_mhz", "memory_mhz"), [(80, 133), (100, 60)])
def test_bytes_come_back_at_any_ratio_of_the_clocks(bus_mhz: int, memory_mhz: int) -> None:
    package = ports()
    frequency = memory_mhz * 1_000_000
    board = Board(package, frequency)
    model = SdramModel(GEOMETRY, TIMING, frequency)
    generator = random.Random(2)
    writes = [random_write(generator, 1024 * number, 12) for number in range(4)]
    reads = [Burst(write.address, write.beats) for write in writes]
    master = AxiMaster(board.bus, 1 << GEOMETRY.address_bits)
    simulator = Simulator(board)
    simulator.add_clock(1e-6 / bus_mhz)
    simulator.add_clock(1e-6 / memory_mhz, phase=0.3e-6 / memory_mhz, domain=MEMORY_DOMAIN)
    simulator.add_testbench(Chip(package, model, MEMORY_DOMAIN).serve, background=True)
    for testbench in (*master.write(writes), *master.read(reads)):
        simulator.add_testbench(testbench)
    for _ in range(CYCLE_LIMIT):
        if not simulator.advance():
            break
    assert model.commands[SdramCommand.READ] == 4 * 12


def test_refuses_a_clock_faster_than_the_chip() -> None:
    with pytest.raises(ValueError, match="frequency must be at most 142857142 Hz"):
        SdramMemory(GEOMETRY, TIMING, address_bits=32, frequency=150_000_000)
