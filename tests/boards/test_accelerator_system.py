"""AcceleratorSystem: the host's own driver reaches registers and memory through the wires of the line."""

import random
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from celosia.boards.accelerator_system import LINE_DOMAIN, AcceleratorSystem
from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from tests.boards.inverter import Inverter
from tests.boards.pin_board import CYCLES_A_BIT, PinBoard
from tests.link_bench.line import DirectPort

BAUD = 1_000_000
LINE_FREQUENCY = CYCLES_A_BIT * BAUD
MEMORY_BYTES = 1 << 13


def system(**change: Any) -> AcceleratorSystem:
    options = {"address_bits": 32, "data_bits": 64, "line_frequency": LINE_FREQUENCY, "baud": BAUD}
    return AcceleratorSystem(Inverter(), **{**options, **change})


class Board(wiring.Component):
    """A system and block RAM."""

    receive: Signal
    transmit: Signal

    def __init__(self) -> None:
        super().__init__({"receive": In(1), "transmit": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += [ClockDomain("sync"), ClockDomain(LINE_DOMAIN)]
        m.submodules.system = inside = system()
        m.submodules.memory = memory = AxiBlockRam(address_bits=32, data_bits=64, size=MEMORY_BYTES)
        wiring.connect(m, inside.bus, memory.bus)
        m.d.comb += [inside.receive.eq(self.receive), self.transmit.eq(inside.transmit)]
        return m


@pytest.mark.parametrize("ratio", [0.7, 2.3])
def test_the_driver_runs_the_accelerator(ratio: float) -> None:
    """Whatever the ratio of the system's clock to that of the line."""
    top = Board()
    period = 1 / LINE_FREQUENCY
    board = PinBoard(top, top.receive, top.transmit, {LINE_DOMAIN: period, "sync": period / ratio})
    port = DirectPort(board)
    device = SerialDevice(Link(lambda: port, clock=port.clock))
    content = random.Random(1).randbytes(8)
    device.write_memory(0x100, content)
    device.write_register(0x010, 0x100)
    device.wait_for_interrupt(10_000)
    assert device.read_register(0x010) == 0x100
    assert device.read_memory(0x100, 16).tobytes() == content + bytes(255 - byte for byte in content)
    assert device.link.statistics.damaged == 0


def test_refuses_a_line_that_is_too_fast_for_its_clock() -> None:
    with pytest.raises(ValueError, match="choose a lower rate or a faster clock"):
        system(baud=BAUD + 1)
