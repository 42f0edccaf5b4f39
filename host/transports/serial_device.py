"""A board at the other end of a serial line."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from celosia.generators.chassis.device import DeviceError, DeviceTimeout
from celosia.generators.chassis.register_map import CONTROL, REGISTERS, STATUS, Access
from celosia.hdl.link.protocol import REGISTER_BYTES, Kind, Outcome

from .errors import FrameTooLarge
from .link import Link
from .messages import Reply, Request

_REGISTER_BLOCK_BYTES = 1 << 12
_LONGEST_PAUSE = 1.0
"""Seconds between two looks at the interrupt, should its notice get lost: far less than the cycle counter's 2**32."""


class SerialDevice:
    """A `Device` behind a `Link`.

    Time-outs in cycles are measured on the board's own cycle counter, so that it does not matter how fast it runs.

    Attributes:
        link: what carries the requests.
    """

    def __init__(self, link: Link) -> None:
        """Connect.

        Raises:
            PortError, LinkError: see `Link.connect`.
        """
        self.link = link
        self._is_closed = False
        self._wedged = False
        link.connect()

    def read_register(self, offset: int) -> int:
        """See `Device.read_register`."""
        _check_offset(offset)
        reply = self._opened().ask(Request(Kind.READ_REGISTER, offset))
        _check(reply, f"register read at offset 0x{offset:03x}")
        return int.from_bytes(reply.data, "little")

    def write_register(self, offset: int, value: int) -> None:
        """See `Device.write_register`; after a reset if the last run did not end."""
        _check_offset(offset)
        if not 0 <= value < 1 << 32:
            raise DeviceError(f"a register value must be 0..2**32 - 1, not {value}")
        if self._wedged:
            self.reset()
        data = value.to_bytes(REGISTER_BYTES, "little")
        reply = self._opened().ask(Request(Kind.WRITE_REGISTER, offset, data=data))
        _check(reply, f"register write at offset 0x{offset:03x}")

    def read_memory(self, address: int, size: int) -> NDArray[np.uint8]:
        """See `Device.read_memory`."""
        content = np.zeros(size if size > 0 else 0, np.uint8)
        place = 0
        for reply in self._transfer(Kind.READ_MEMORY, address, size, b""):
            content[place : place + len(reply.data)] = np.frombuffer(reply.data, np.uint8)
            place += len(reply.data)
        return content

    def write_memory(self, address: int, data: bytes | NDArray[np.generic]) -> None:
        """See `Device.write_memory`."""
        content = data if isinstance(data, bytes) else data.tobytes()
        for _ in self._transfer(Kind.WRITE_MEMORY, address, len(content), content):
            pass

    def wait_for_interrupt(self, timeout_cycles: int) -> None:
        """See `Device.wait_for_interrupt`; woken by the board's notice, or by a look now and then should it be lost."""
        if timeout_cycles < 0:
            raise DeviceError(f"timeout_cycles must be 0 or more, not {timeout_cycles}")
        before, interrupt = self._look()
        elapsed = 0
        pause = self.link.expected_round_trip()
        while not interrupt:
            if elapsed >= timeout_cycles:
                self._wedged = True
                raise DeviceTimeout(
                    f"no interrupt within {timeout_cycles} cycles; seen: interrupt 0 after {elapsed} cycles, "
                    f"STATUS 0x{self.read_register(STATUS.offset):08x}"
                )
            self.link.listen(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            now, interrupt = self._look()
            elapsed += (now - before) % (1 << 8 * REGISTER_BYTES)
            before = now

    def reset(self) -> None:
        """See `Device.reset`: CONTROL.reset, then every register that keeps its value through that."""
        self._wedged = False
        self.write_register(CONTROL.offset, CONTROL.mask("reset"))
        while self.read_register(STATUS.offset) & STATUS.mask("resetting"):
            self.link.listen(self.link.expected_round_trip())
        for register in REGISTERS:
            if register.access is Access.READ_WRITE:
                self.write_register(register.offset, register.reset)

    def close(self) -> None:
        """See `Device.close`."""
        self._is_closed = True
        self.link.close()

    def __enter__(self) -> "SerialDevice":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _opened(self) -> Link:
        if self._is_closed:
            raise DeviceError("the device is closed: make a new one")
        return self.link

    def _look(self) -> tuple[int, bool]:
        """The board's cycle counter and its interrupt."""
        reply = self._opened().ask(Request(Kind.READ_CYCLES))
        return int.from_bytes(reply.data, "little"), reply.interrupt

    def _transfer(self, kind: Kind, address: int, size: int, data: bytes) -> Iterator[Reply]:
        """The replies to requests that cover `size` bytes from `address`, in order; their sizes follow the line."""
        link = self._opened()
        limit = 1 << link.identity.address_bits
        if size < 0 or address < 0 or address + size > limit:
            raise DeviceError(
                f"{size} bytes at address 0x{address:x} are outside the memory, 0x0..0x{limit - 1:x}"
            )
        done = 0

        def pieces() -> Iterator[Request]:
            asked = done
            while asked < size:
                count = min(link.pace.payload, size - asked)
                if kind == Kind.READ_MEMORY:
                    yield Request(kind, address + asked, length=count)
                else:
                    yield Request(kind, address + asked, data=data[asked : asked + count])
                asked += count

        while done < size:
            requests = pieces()
            sizes: list[int] = []
            try:
                for reply in link.exchange(_noting(requests, sizes)):
                    _check(reply, f"memory access at address 0x{address + done:x}")
                    done += sizes.pop(0)
                    yield reply
            except FrameTooLarge:
                continue


def _noting(requests: Iterator[Request], sizes: list[int]) -> Iterator[Request]:
    """The requests as they come, their payloads' sizes appended to `sizes`."""
    for request in requests:
        sizes.append(max(request.length, len(request.data)))
        yield request


def _check_offset(offset: int) -> None:
    if not 0 <= offset < _REGISTER_BLOCK_BYTES or offset % 4:
        raise DeviceError(f"a register offset must be a multiple of 4 in 0..4092, not {offset}")


def _check(reply: Reply, what: str) -> None:
    if reply.outcome != Outcome.DONE:
        names = {Outcome.SLAVE_ERROR: "SLVERR", Outcome.DECODE_ERROR: "DECERR"}
        raise DeviceError(
            f"{what} answered {names.get(reply.outcome, reply.outcome.name)}: {reply.outcome.meaning}"
        )
