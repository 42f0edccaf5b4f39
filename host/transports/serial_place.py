"""Where a board is, and opening it."""

from dataclasses import dataclass

from celosia.generators.chassis.device import DeviceError

from .byte_port import SerialPort
from .link import Link
from .serial_device import SerialDevice

DEFAULT_BAUD = 3_000_000
DEFAULT_PATIENCE = 10.0

_LARGEST_BAUD = 12_000_000


@dataclass(frozen=True, slots=True)
class SerialPlace:
    """A board at a serial port.

    Attributes:
        port: as pyserial knows it.
        baud: bits a second, as the board was built for.
        preset: what it was built from; None: ask it.
        patience: seconds for which it may be silent. Once round trips are measured, a slow board has longer.
    """

    port: str
    baud: int = DEFAULT_BAUD
    preset: str | None = None
    patience: float = DEFAULT_PATIENCE

    def __post_init__(self) -> None:
        if not self.port:
            raise ValueError("port must be named, as in serial:/dev/ttyUSB0")
        if not 1 <= self.baud <= _LARGEST_BAUD:
            raise ValueError(f"baud must be in 1..{_LARGEST_BAUD}, not {self.baud}")
        if not 0 < self.patience < float("inf"):
            raise ValueError(f"patience must be a positive number of seconds, not {self.patience}")


def open_serial(place: SerialPlace) -> SerialDevice:
    """Open the port and connect.

    Raises:
        PortError: the port cannot be opened.
        LinkError: no board answers, or one of another version.
    """
    link = Link(lambda: SerialPort(place.port, place.baud), patience=place.patience)
    try:
        return SerialDevice(link)
    except DeviceError:
        link.close()
        raise
