"""What every board has: an accelerator, its link to the host, and one port for both of them to memory."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.hdl.axi import AxiBus, AxiSignature
from celosia.hdl.axi_shared_bus import AxiSharedBus
from celosia.hdl.link.endpoint import LinkEndpoint
from celosia.hdl.uart import bit_step
from celosia.hdl.uart_port import UartPort

LINE_DOMAIN = "line"
"""Clock domain of the serial line: the oscillator's, whatever the PLL makes of it."""

_OUTSTANDING = 16
"""Bursts in flight; more than an accelerator has, so that it never waits for the shared port."""


class AcceleratorSystem(wiring.Component):
    """Registers and memory of `accelerator` within reach of a host on a serial line.

        receive -> UartPort -> LinkEndpoint --- csr ---> accelerator
        transmit <-'              '- bus -> AxiSharedBus <- bus -'
                                                 '-> bus

    The accelerator comes first at the shared port: its cycles are those it has without a link, as long as the host
    does not access memory. Everything is in `sync` but the line itself, which is in `line`.

    Args:
        accelerator: a component with `csr` (AXI4-Lite, flipped), `bus` (AXI4) and `interrupt`, as `MacEngine`.
        address_bits, data_bits: of its memory port.
        line_frequency: Hz of the domain `line`.
        baud: bits a second on the line.

    Members:
        receive, transmit: the line, high when idle.
        bus: `AxiSignature` towards memory.
        interrupt: the accelerator's.

    Raises:
        ValueError: `baud` is too fast for the clock.
    """

    receive: Signal
    transmit: Signal
    bus: AxiBus
    interrupt: Signal

    def __init__(
        self,
        accelerator: wiring.Component,
        *,
        address_bits: int,
        data_bits: int,
        line_frequency: float,
        baud: int,
    ) -> None:
        self._accelerator = accelerator
        self._address_bits = address_bits
        self._data_bits = data_bits
        self._step = bit_step(line_frequency, baud)
        super().__init__(
            {
                "receive": In(1),
                "transmit": Out(1),
                "bus": Out(AxiSignature(address_bits, data_bits)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Nothing but connections."""
        m = Module()
        accelerator: Any = self._accelerator
        link = LinkEndpoint(register_address_bits=ADDRESS_BITS, address_bits=self._address_bits)
        port = UartPort(LINE_DOMAIN)
        shared = AxiSharedBus(
            managers=2, address_bits=self._address_bits, data_bits=self._data_bits, outstanding=_OUTSTANDING
        )
        m.submodules.accelerator = accelerator
        m.submodules.link = link
        m.submodules.port = port
        m.submodules.shared = shared
        connect(m, port.o, link.i)
        connect(m, link.o, port.i)
        connect(m, link.csr, accelerator.csr)
        connect(m, accelerator.bus, shared.managers[0])
        connect(m, link.bus, shared.managers[1])
        connect(m, shared.bus, flipped(self.bus))
        m.d.comb += [
            port.receive.eq(self.receive),
            port.step.eq(self._step),
            self.transmit.eq(port.transmit),
            link.interrupt.eq(accelerator.interrupt),
            self.interrupt.eq(accelerator.interrupt),
        ]
        return m
