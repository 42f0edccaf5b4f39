"""SdramIo: the controller and the chip meet at the package's pins, inverted ones included."""

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In

from celosia.boards.sdram_io import PIN_REGISTERS, SdramIo, clock_phase
from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_sdram import AxiSdram
from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from tests.axi_master import AxiMaster, Burst, random_write
from tests.gateware import simulate
from tests.sdram_model import PinState, SdramModel

FREQUENCY = 100_000_000
GEOMETRY = SdramGeometry()
TIMING = replace(AS4C16M16SA_7, power_up=1000)


def output(width: int = 1, *, invert: bool = False) -> io.SimulationPort:
    return io.SimulationPort(io.Direction.Output, width, invert=invert)


@dataclass(frozen=True)
class Ports:
    """As ULX3S has them: chip select and strobes are active low."""

    clk_en: io.SimulationPort
    cs: io.SimulationPort
    ras: io.SimulationPort
    cas: io.SimulationPort
    we: io.SimulationPort
    ba: io.SimulationPort
    a: io.SimulationPort
    dqm: io.SimulationPort
    dq: io.SimulationPort


def ports() -> Ports:
    return Ports(
        clk_en=output(),
        cs=output(invert=True),
        ras=output(invert=True),
        cas=output(invert=True),
        we=output(invert=True),
        ba=output(2),
        a=output(13),
        dqm=output(2),
        dq=io.SimulationPort(io.Direction.Bidir, 16),
    )


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
    noise = random.Random(1)
    strobes = Cat(package.we.o, package.cas.o, package.ras.o)

    async def chip(ctx: Any) -> None:
        started = False  # what the registers hold before their first edge is not the controller's
        while True:
            _, _, low, select, enable, bank, address, mask, driven, data = await ctx.tick().sample(
                strobes,
                package.cs.o,
                package.clk_en.o,
                package.ba.o,
                package.a.o,
                package.dqm.o,
                package.dq.oe,
                package.dq.o,
            )
            if started:
                assert driven in {0, 0xFFFF}
                command = SdramCommand(~low & 7)
                state = PinState(
                    command, bank, address, mask, data if driven else None, bool(enable), not select
                )
                word = model.edge(state)
                ctx.set(package.dq.i, noise.randrange(1 << 16) if word is None else word)
            started = True

    master = AxiMaster(board.bus, 1 << GEOMETRY.address_bits)
    generator = random.Random(2)
    writes = [random_write(generator, 1024 * number, 20) for number in range(8)]
    reads = [Burst(write.address, write.beats) for write in writes]
    simulate(board, chip, testbenches=[*master.read(reads), *master.write(writes)])
    assert model.commands[SdramCommand.READ] == 8 * 20


@pytest.mark.parametrize(("mhz", "degrees"), [(50, 297), (80, 259), (100, 234), (133, 192)])
def test_the_chip_s_clock_leads_by_the_same_time_at_every_frequency(mhz: int, degrees: int) -> None:
    assert clock_phase(mhz * 1_000_000) == degrees


def test_refuses_a_clock_without_room_for_the_lead() -> None:
    with pytest.raises(ValueError, match="frequency must have a period above 3500 ps, not 300000000 Hz"):
        clock_phase(300_000_000)
