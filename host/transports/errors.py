"""What a transport tells of a board that cannot be used."""

from celosia.generators.chassis.device import DeviceError


class PortError(DeviceError):
    """The port cannot be opened, or is gone; the message names it."""


class LinkError(DeviceError):
    """The board does not answer, or is not what it should be; the message says what was seen."""


class SessionLost(LinkError):
    """The board has forgotten this host: it was reset, or another host connected."""


class FrameTooLarge(LinkError):
    """A frame does not come through at a size that once did; the transfer goes on with smaller ones."""
