"""The port through which WEIGHTS writes the memories of a compute core."""

from amaranth.hdl import unsigned
from amaranth.lib import data, stream

BEAT_BITS = 64
DESTINATION_BITS = 3
"""A core has at most 2**3 memories for WEIGHTS."""


def destination_write() -> data.StructLayout:
    """One 64-bit beat for one memory of the core.

    `destination` is the memory's number in the command set, `address` counts beats from its start.
    """
    return data.StructLayout(
        {"destination": unsigned(DESTINATION_BITS), "address": unsigned(16), "data": unsigned(BEAT_BITS)}
    )


def destination_write_signature() -> stream.Signature:
    """From WEIGHTS (Out) to each memory of the core (In), which takes a beat in any cycle; readable in the next one."""
    return stream.Signature(destination_write(), always_ready=True)
