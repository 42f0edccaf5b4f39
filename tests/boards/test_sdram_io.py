"""SdramIo: the controller and the chip meet at the package's pins, inverted ones included."""

import random
from dataclasses import replace

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from celosia.boards.sdram_io import PIN_REGISTERS, SdramIo, clock_phase
from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_sdram import AxiSdram
from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from tests.axi_master import AxiMaster, Burst, random_write
from tests.boards.sdram_package import Chip, Ports, ports
from tests.gateware import simulate
from tests.sdram_model import SdramModel

FREQUENCY = 100_000_000
GEOMETRY = SdramGeometry()
TIMING = replace(AS4C16M16SA_7, power_up=1000)


class BoardMemory(wiring.Component):
    """An AXI port and a chip's pins."""

    bus: AxiBus

    def __init__(self, pins: Ports) -> None:
        self._memory = AxiSdram(GEOMETRY, TIMING.cycles(FREQUENCY), pin_registers=PIN_REGISTERS)
        self._io = SdramIo(GEOMETRY, pins)
        super().__init__({"bus": In(AxiSignature(32, 64))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = self._memory
        m.submodules.io = self._io
        wiring.connect(m, wiring.flipped(self.bus), self._memory.bus)
        wiring.connect(m, self._memory.pins, self._io.pins)
        m.d.comb += self._memory.refresh_interval.eq(TIMING.refresh_interval(FREQUENCY))
        return m


def test_bytes_come_back_through_the_pins_of_the_package() -> None:
    package = ports()
    board = BoardMemory(package)
    model = SdramModel(GEOMETRY, TIMING, FREQUENCY)
    master = AxiMaster(board.bus, 1 << GEOMETRY.address_bits)
    generator = random.Random(2)
    writes = [random_write(generator, 1024 * number, 20) for number in range(8)]
    reads = [Burst(write.address, write.beats) for write in writes]
    simulate(board, Chip(package, model).serve, testbenches=[*master.read(reads), *master.write(writes)])
    assert model.commands[SdramCommand.READ] == 8 * 20


@pytest.mark.parametrize(("mhz", "degrees"), [(50, 297), (80, 259), (100, 234), (133, 192)])
def test_the_chip_s_clock_leads_by_the_same_time_at_every_frequency(mhz: int, degrees: int) -> None:
    assert clock_phase(mhz * 1_000_000) == degrees


def test_refuses_a_clock_without_room_for_the_lead() -> None:
    with pytest.raises(ValueError, match="frequency must have a period above 3500 ps, not 300000000 Hz"):
        clock_phase(300_000_000)
