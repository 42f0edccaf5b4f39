"""The endpoint behind its serial port, down to the bits on the wire, and the host's driver at the other end."""

from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Const, DomainRenamer, Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from celosia.generators.chassis.csr import CsrBlock
from celosia.generators.chassis.register_map import ADDRESS_BITS, MAGIC, MAGIC_VALUE, QUEUE_COUNT, REGISTERS
from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.hdl.link.endpoint import LinkEndpoint
from celosia.hdl.uart import UartReceiver, UartTransmitter, bit_step
from celosia.hdl.uart_port import UartPort
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from tests.link_bench.line import DirectPort

_LINE_HZ = 25e6
_BAUD = 3e6
_ADAPTER_HZ = 24e6
_STEP_SECONDS = 20e-6


class BoardOfGateware:
    """Endpoint, registers and block RAM at 31 MHz, its UART at 25 MHz, a UART of the host's adapter at 24 MHz."""

    def __init__(self) -> None:
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._sender: Any = UartTransmitter()
        self._receiver: Any = UartReceiver()
        self._simulator = Simulator(self._design())
        self._simulator.add_clock(1 / 31e6)
        self._simulator.add_clock(1 / _LINE_HZ, domain="line")
        self._simulator.add_clock(1 / _ADAPTER_HZ, domain="adapter")
        self._simulator.add_testbench(self._send, background=True)
        self._simulator.add_testbench(self._receive, background=True)
        self._seconds = 0.0

    def step(self, line: bytes) -> bytes:
        self._incoming += line
        self._seconds += _STEP_SECONDS
        self._simulator.run_until(self._seconds)
        answer = bytes(self._outgoing)
        self._outgoing.clear()
        return answer

    def _design(self) -> Module:
        m = Module()
        port: Any = UartPort("line")
        endpoint: Any = LinkEndpoint(register_address_bits=ADDRESS_BITS, address_bits=32)
        registers: Any = CsrBlock(REGISTERS)
        memory: Any = AxiBlockRam(address_bits=32, data_bits=64, size=4096)
        m.domains.line = ClockDomain()
        m.domains.adapter = ClockDomain()
        m.submodules.port = port
        m.submodules.endpoint = endpoint
        m.submodules.registers = registers
        m.submodules.memory = memory
        m.submodules.sender = DomainRenamer("adapter")(self._sender)
        m.submodules.receiver = DomainRenamer("adapter")(self._receiver)
        wiring.connect(m, port.o, endpoint.i)
        wiring.connect(m, endpoint.o, port.i)
        wiring.connect(m, endpoint.csr, registers.bus)
        wiring.connect(m, endpoint.bus, memory.bus)
        m.d.comb += [
            port.step.eq(Const(bit_step(_LINE_HZ, _BAUD))),
            self._sender.step.eq(bit_step(_ADAPTER_HZ, _BAUD)),
            self._receiver.step.eq(bit_step(_ADAPTER_HZ, _BAUD)),
            port.receive.eq(self._sender.line),
            self._receiver.line.eq(port.transmit),
            registers.port(MAGIC).eq(MAGIC_VALUE),
        ]
        return m

    async def _send(self, ctx: Any) -> None:
        stream = self._sender.i
        while True:
            ctx.set(stream.valid, bool(self._incoming))
            ctx.set(stream.payload, self._incoming[0] if self._incoming else 0)
            offered = bool(self._incoming)
            _, _, ready = await ctx.tick("adapter").sample(stream.ready)
            if offered and ready:
                del self._incoming[0]

    async def _receive(self, ctx: Any) -> None:
        stream = self._receiver.o
        while True:
            _, _, valid, byte = await ctx.tick("adapter").sample(stream.valid, stream.payload)
            if valid:
                self._outgoing.append(byte)


@pytest.mark.slow
def test_registers_and_memory_are_reached_over_the_wire() -> None:
    port = DirectPort(BoardOfGateware())
    device = SerialDevice(Link(lambda: port, clock=port.clock))
    assert device.read_register(MAGIC.offset) == MAGIC_VALUE
    device.write_register(QUEUE_COUNT.offset, 0x7D7E0102)
    assert device.read_register(QUEUE_COUNT.offset) == 0x7D7E0102
    content = bytes(range(100, 139))
    device.write_memory(13, content)
    assert device.read_memory(13, len(content)).tobytes() == content
    assert device.link.statistics.damaged == 0
