"""The board's end of the link: executes requests, each exactly once, and answers them."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature
from ..skid_buffer import SkidBuffer
from .frame_receiver import FrameReceiver, frame_byte_layout
from .frame_transmitter import FrameTransmitter
from .memory_reader import MemoryReader
from .memory_writer import MemoryWriter
from .protocol import BEAT_BITS, IDENTITY, LINK_MAGIC, PROTOCOL_VERSION, REQUEST_HEADER, field_bits, pack
from .register_access import RegisterAccess
from .reply_sender import ReplySender
from .request_executor import WINDOW, RequestExecutor
from .request_reader import RequestReader

_ADDRESS_BITS = field_bits(REQUEST_HEADER, "address")

_LARGEST_RECEIVER = 1 << (field_bits(IDENTITY, "receive_bytes") - 1)

_PAYLOAD_SHARE = 4
"""The ring takes this many requests of the largest size, their headers aside."""


class LinkEndpoint(wiring.Component):
    """Requests in, accesses on AXI4-Lite and AXI4, replies out.

        i -> FrameReceiver -> RequestReader -> RequestExecutor -> ReplySender -> FrameTransmitter -> o
                                RegisterAccess, MemoryWriter <-'     ^- MemoryReader

    The receiver's ring holds the requests that wait; see `RequestExecutor` for what becomes of them.

    Members:
        i: bytes from the line; always ready.
        o: bytes to the line.
        csr: AXI4-Lite master towards the registers.
        bus: AXI4 master towards memory, bursts of one beat.
        interrupt: its level; a notice is sent when it rises.
    """

    i: stream.Interface
    o: stream.Interface
    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self, *, register_address_bits: int, address_bits: int, receive_bytes: int = 4096) -> None:
        """`receive_bytes` is the receiver's ring, a power of two."""
        if address_bits > _ADDRESS_BITS:
            raise ValueError(
                f"address_bits must be at most {_ADDRESS_BITS}, the link's addresses, not {address_bits}"
            )
        if not 256 <= receive_bytes <= _LARGEST_RECEIVER or receive_bytes & (receive_bytes - 1):
            raise ValueError(
                f"receive_bytes must be a power of two in 256..{_LARGEST_RECEIVER}, not {receive_bytes}"
            )
        self._register_address_bits = register_address_bits
        self._address_bits = address_bits
        self._receive_bytes = receive_bytes
        self.identity = pack(
            IDENTITY,
            {
                "magic": LINK_MAGIC,
                "version": PROTOCOL_VERSION,
                "window": WINDOW,
                "address_bits": address_bits,
                "receive_bytes": receive_bytes,
                "payload_bytes": receive_bytes // _PAYLOAD_SHARE,
            },
        )
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "o": Out(stream.Signature(8)),
                "csr": Out(AxiLiteSignature(register_address_bits)),
                "bus": Out(AxiSignature(address_bits, BEAT_BITS)),
                "interrupt": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The blocks around the state machine that leads a request through them."""
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver(self._receive_bytes)
        m.submodules.requests = requests = RequestReader()
        m.submodules.executor = executor = RequestExecutor(self._register_address_bits, self._address_bits)
        m.submodules.registers = registers = RegisterAccess(self._register_address_bits)
        m.submodules.writer = writer = MemoryWriter(self._address_bits)
        m.submodules.reader = reader = MemoryReader(self._address_bits)
        m.submodules.sender = sender = ReplySender(self.identity)
        # Between choosing a byte and stuffing it.
        m.submodules.content = content = SkidBuffer(frame_byte_layout())
        m.submodules.transmitter = transmitter = FrameTransmitter()
        wiring.connect(m, wiring.flipped(self.i), receiver.i)
        wiring.connect(m, receiver.o, requests.i)
        wiring.connect(m, requests.request, executor.request)
        wiring.connect(m, requests.data, executor.data)
        wiring.connect(m, executor.register, registers.request)
        wiring.connect(m, registers.reply, executor.register_reply)
        wiring.connect(m, executor.written, writer.i)
        wiring.connect(m, executor.reply, sender.reply)
        wiring.connect(m, reader.o, sender.memory)
        wiring.connect(m, sender.o, content.i)
        wiring.connect(m, content.o, transmitter.i)
        wiring.connect(m, transmitter.o, wiring.flipped(self.o))
        wiring.connect(m, registers.bus, wiring.flipped(self.csr))
        for channel in ("aw", "w", "b"):
            wiring.connect(m, getattr(writer.bus, channel), wiring.flipped(getattr(self.bus, channel)))
        for channel in ("ar", "r"):
            wiring.connect(m, getattr(reader.bus, channel), wiring.flipped(getattr(self.bus, channel)))
        m.d.comb += [
            executor.damaged.eq(receiver.damaged),
            executor.interrupt.eq(self.interrupt),
            executor.write_done.eq(writer.done),
            executor.write_outcome.eq(writer.outcome),
            writer.start.eq(executor.write_start),
            writer.address.eq(executor.memory_address),
            reader.start.eq(executor.read_start),
            reader.address.eq(executor.memory_address),
            reader.length.eq(executor.memory_length),
            sender.memory_outcome.eq(reader.outcome),
            sender.interrupt.eq(self.interrupt),
        ]
        return m
