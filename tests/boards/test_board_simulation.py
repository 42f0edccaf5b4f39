"""The board from its serial wires to the SDRAM's pins, each part in its own clock; PLL and I/O buffers aside."""

import random
from dataclasses import replace

import pytest
from amaranth.hdl import ClockDomain, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.boards.accelerator_system import LINE_DOMAIN, AcceleratorSystem
from celosia.boards.sdram_io import SdramIo
from celosia.boards.sdram_memory import MEMORY_DOMAIN, SdramMemory
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from tests.boards.inverter import Inverter
from tests.boards.pin_board import CYCLES_A_BIT, PinBoard
from tests.boards.sdram_package import Chip, Ports, ports
from tests.link_bench.line import DirectPort
from tests.sdram_model import SdramModel

GEOMETRY = SdramGeometry()
TIMING = replace(AS4C16M16SA_7, power_up=1000)
LINE_FREQUENCY = 50_000_000
MEMORY_FREQUENCY = 60_000_000
SYNC_FREQUENCY = 70_000_000


class Board(wiring.Component):
    """What `BoardTop` puts together, but for clocks and buffers."""

    receive: Signal
    transmit: Signal

    def __init__(self, package: Ports) -> None:
        self._package = package
        super().__init__({"receive": In(1), "transmit": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += [ClockDomain("sync"), ClockDomain(LINE_DOMAIN), ClockDomain(MEMORY_DOMAIN)]
        m.submodules.system = system = AcceleratorSystem(
            Inverter(),
            address_bits=32,
            data_bits=64,
            line_frequency=LINE_FREQUENCY,
            baud=LINE_FREQUENCY // CYCLES_A_BIT,
        )
        m.submodules.memory = memory = SdramMemory(
            GEOMETRY, TIMING, address_bits=32, frequency=MEMORY_FREQUENCY
        )
        pins = SdramIo(GEOMETRY, self._package)
        m.submodules.pins = DomainRenamer(MEMORY_DOMAIN)(pins)
        wiring.connect(m, system.bus, memory.bus)
        wiring.connect(m, memory.pins, pins.pins)
        m.d.comb += [system.receive.eq(self.receive), self.transmit.eq(system.transmit)]
        return m


@pytest.mark.slow
def test_the_driver_runs_the_accelerator_on_the_chip_s_memory() -> None:
    package = ports()
    top = Board(package)
    chip = Chip(package, SdramModel(GEOMETRY, TIMING, MEMORY_FREQUENCY), MEMORY_DOMAIN)
    frequencies = {LINE_DOMAIN: LINE_FREQUENCY, "sync": SYNC_FREQUENCY, MEMORY_DOMAIN: MEMORY_FREQUENCY}
    periods = {domain: 1 / frequency for domain, frequency in frequencies.items()}
    board = PinBoard(top, top.receive, top.transmit, periods, chip.serve)
    port = DirectPort(board)
    device = SerialDevice(Link(lambda: port, clock=port.clock))
    content = random.Random(5).randbytes(40)
    for place in (0x1003, (1 << GEOMETRY.address_bits) - 200):
        device.write_memory(place, content)
        assert device.read_memory(place, 40).tobytes() == content
    device.write_register(0x010, 0x1008)
    device.wait_for_interrupt(100_000)
    assert device.read_memory(0x1010, 8).tobytes() == bytes(255 - byte for byte in content[5:13])
