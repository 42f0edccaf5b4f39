"""A serial port, reduced to what the link needs of it."""

import time
from typing import Protocol

import serial

from .errors import PortError

_POLL_SECONDS = 0.002
"""pyserial waits this long for a byte; setting it anew for every call would set up the port anew as well."""

_WRITE_SECONDS = 2.0
"""A frame that the port has not taken by then is cut off and counts as damaged: it is sent again."""


class BytePort(Protocol):
    """Bytes both ways, in order, possibly damaged or lost."""

    def read(self, seconds: float) -> bytes:
        """What has come in: waits up to `seconds` for the first byte; b"" if none comes. Raises `PortError`."""
        ...

    def write(self, line: bytes) -> None:
        """Send all of `line`. Raises `PortError`."""
        ...

    def close(self) -> None:
        """Release the port; may be called twice."""
        ...


class SerialPort:
    """A `BytePort` on pyserial: 8 data bits, no parity, one stop bit, no flow control but the link's own."""

    def __init__(self, name: str, baud: int) -> None:
        """Open the port called `name`, as pyserial knows it: a device file, `COM3`, a URL such as `socket://`.

        Raises:
            PortError: it cannot be opened, for instance because another program has it.
        """
        self._name = name
        try:
            self._port = serial.serial_for_url(
                name, baud, exclusive=True, timeout=_POLL_SECONDS, write_timeout=_WRITE_SECONDS
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise PortError(f"cannot open the serial port {name}: {error}") from error
        _lower_latency(self._port)

    def read(self, seconds: float) -> bytes:
        """See `BytePort.read`."""
        until = time.monotonic() + seconds
        try:
            while not (line := self._port.read(self._port.in_waiting or 1)):
                if time.monotonic() >= until:
                    break
            return line
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._gone(error) from error

    def write(self, line: bytes) -> None:
        """See `BytePort.write`."""
        try:
            self._port.write(line)
        except serial.SerialTimeoutException:
            return
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """See `BytePort.close`."""
        try:
            self._port.close()
        except OSError:
            return  # it is gone already

    def _gone(self, error: Exception) -> PortError:
        return PortError(f"the serial port {self._name} is gone: {error}; is the cable plugged in?")


def _lower_latency(port: serial.SerialBase) -> None:
    """Ask a USB adapter's driver not to wait for more bytes before it hands on what came; not all can."""
    lower = getattr(port, "set_low_latency_mode", None)
    if lower is None:
        return
    try:
        lower(True)
    except (OSError, ValueError, NotImplementedError):
        return  # as fast as before
