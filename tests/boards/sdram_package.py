"""The chip's end of an SDRAM's pins: simulated ports of the package, and the model behind them."""

import random
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat
from amaranth.lib import io

from celosia.hdl.sdram_pins import SdramCommand
from tests.sdram_model import PinState, SdramModel


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


class Chip:
    """`model` at the pins of `package`, whose registers are in the clock domain `domain`."""

    def __init__(self, package: Ports, model: SdramModel, domain: str = "sync") -> None:
        self._package = package
        self._model = model
        self._domain = domain

    async def serve(self, ctx: Any) -> None:
        """Endless: an edge of the chip's clock for every edge of the domain's."""
        package = self._package
        noise = random.Random(1)
        strobes = Cat(package.we.o, package.cas.o, package.ras.o)
        started = False  # what the registers hold before their first edge is not the controller's
        while True:
            _, _, low, select, enable, bank, address, mask, driven, data = await ctx.tick(
                self._domain
            ).sample(
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
                word = self._model.edge(state)
                ctx.set(package.dq.i, noise.randrange(1 << 16) if word is None else word)
            started = True
