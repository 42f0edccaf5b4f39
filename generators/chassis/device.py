"""The one protocol between the host and whatever runs a program: a simulator, a board, a PCIe card."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class DeviceError(RuntimeError):
    """A device failed; the message says what was seen."""


class DeviceTimeout(DeviceError):
    """A device did not answer within the stated number of cycles; the message says what was seen.

    The next `write_register` starts from a clean reset; registers can still be read before it.
    """


class Device(Protocol):
    """An accelerator: its registers, the memory it reaches, and its interrupt.

    Register offsets are bytes from the start of the CSR block, multiples of 4; registers are 32 bits wide.
    Memory addresses are bytes, as the accelerator sees them on its AXI master. Times are in clock cycles of
    the accelerator; a transport without a cycle counter converts them with its clock frequency.
    Every method raises `DeviceError` when the device fails or an argument is out of its range.
    """

    def read_register(self, offset: int) -> int:
        """The 32-bit value of the register at `offset`, unsigned."""
        ...

    def write_register(self, offset: int, value: int) -> None:
        """Write `value`, 0..2**32 - 1, to the register at `offset`."""
        ...

    def read_memory(self, address: int, size: int) -> NDArray[np.uint8]:
        """A copy of `size` bytes of memory from `address`."""
        ...

    def write_memory(self, address: int, data: bytes | NDArray[np.generic]) -> None:
        """Write the bytes of `data` (an array in C order) to memory from `address`."""
        ...

    def wait_for_interrupt(self, timeout_cycles: int) -> None:
        """Return once the interrupt is high; raise `DeviceTimeout` after `timeout_cycles` clock cycles."""
        ...

    def reset(self) -> None:
        """Return the accelerator to its initial state, also in the middle of a run. Memory keeps its content."""
        ...

    def close(self) -> None:
        """Release the device. Closing twice is allowed, any other use after it is a `DeviceError`."""
        ...
