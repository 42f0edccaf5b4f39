"""The board's end of the link in Python: what `celosia.hdl.link.endpoint` must do, without its timing."""

from celosia.generators.chassis.device import DeviceError
from celosia.hdl.link.protocol import (
    IDENTITY,
    INTERRUPT_BIT,
    LINK_MAGIC,
    NO_SESSION,
    PROTOCOL_VERSION,
    REPLY_BIT,
    REPLY_HEADER,
    REQUEST_HEADER,
    Kind,
    Outcome,
    pack,
    size,
    unpack,
)
from celosia.hdl.link.request_executor import WINDOW
from celosia.host.transports.framing import FrameDecoder, encode_frame
from tests.link_bench.machine import Machine

_IDLE_CYCLES = 20
_CYCLES_A_BYTE = 4


class EndpointTwin:
    """A board: `step` takes bytes from the line and gives those for it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.identity = {
            "magic": LINK_MAGIC,
            "version": PROTOCOL_VERSION,
            "window": WINDOW,
            "address_bits": 32,
            "receive_bytes": 4096,
            "payload_bytes": 1024,
        }
        self.reset()

    def reset(self) -> None:
        """What the board's reset button does; memory keeps its content."""
        self._decoder = FrameDecoder()
        self._session = NO_SESSION
        self._expected = 0
        self._kept: dict[int, tuple[Outcome, bytes]] = {}
        self._interrupt = False

    def step(self, line: bytes) -> bytes:
        self.machine.cycles += _IDLE_CYCLES + _CYCLES_A_BYTE * len(line)
        damaged = self._decoder.damaged
        answer = b"".join(self._execute(content) for content in self._decoder.feed(line))
        if self._decoder.damaged > damaged:
            answer += self._notice(Outcome.DAMAGED)
        if self.machine.interrupt and not self._interrupt:
            answer += self._notice(Outcome.DONE)
        self._interrupt = self.machine.interrupt
        return answer

    def _execute(self, content: bytes) -> bytes:
        if len(content) < size(REQUEST_HEADER):
            return b""
        header = unpack(REQUEST_HEADER, content)
        payload = content[size(REQUEST_HEADER) :]
        if header["kind"] == Kind.CONNECT:
            if header["session"] != self._session:
                self._session, self._expected = header["session"], 0
            return self._reply(header, Outcome.DONE, pack(IDENTITY, self.identity))
        if header["session"] != self._session:
            return self._notice(Outcome.OTHER_SESSION)
        ahead = (header["sequence"] - self._expected) % (1 << 16)
        if ahead == 0:
            self._expected = (self._expected + 1) % (1 << 16)
            self._kept[header["sequence"] % WINDOW] = self._access(header, payload)
        elif ahead < (1 << 16) - WINDOW:
            return self._notice(Outcome.OUT_OF_ORDER)
        elif header["kind"] == Kind.READ_MEMORY:
            return self._reply(header, *self._access(header, payload))
        return self._reply(header, *self._kept[header["sequence"] % WINDOW])

    def _access(self, header: dict[str, int], payload: bytes) -> tuple[Outcome, bytes]:
        address, length = header["address"], header["length"]
        memory = self.machine.memory
        try:
            match header["kind"]:
                case Kind.READ_CYCLES:
                    return Outcome.DONE, (self.machine.cycles % (1 << 32)).to_bytes(4, "little")
                case Kind.READ_REGISTER:
                    return Outcome.DONE, self.machine.read_register(address).to_bytes(4, "little")
                case Kind.WRITE_REGISTER if len(payload) == 4:
                    self.machine.write_register(address, int.from_bytes(payload, "little"))
                    return Outcome.DONE, b""
                case Kind.READ_MEMORY if length and address + length <= memory.size:
                    return Outcome.DONE, memory[address : address + length].tobytes()
                case Kind.READ_MEMORY if length:
                    return Outcome.DECODE_ERROR, bytes(length)
                case Kind.WRITE_MEMORY if payload and address + len(payload) <= memory.size:
                    memory[address : address + len(payload)] = list(payload)
                    return Outcome.DONE, b""
                case Kind.WRITE_MEMORY if payload:
                    return Outcome.DECODE_ERROR, b""
        except DeviceError:
            return Outcome.SLAVE_ERROR, bytes(4) if header["kind"] == Kind.READ_REGISTER else b""
        return Outcome.REFUSED, b""

    def _reply(self, header: dict[str, int], outcome: Outcome, body: bytes) -> bytes:
        return self._frame({**header, "kind": header["kind"] | REPLY_BIT}, outcome, body)

    def _notice(self, outcome: Outcome) -> bytes:
        header = {"kind": Kind.NOTICE, "session": self._session, "sequence": self._expected}
        return self._frame(header, outcome, b"")

    def _frame(self, header: dict[str, int], outcome: Outcome, body: bytes) -> bytes:
        last = outcome | (INTERRUPT_BIT if self.machine.interrupt else 0)
        return encode_frame(pack(REPLY_HEADER, header) + body + bytes([last]))
