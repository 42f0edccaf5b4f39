"""The port through which WEIGHTS writes the memories of a compute core."""

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, stream

BEAT_BITS = 64
DESTINATION_BITS = 3
"""A core has at most 2**3 memories for WEIGHTS."""


def destination_write(beat_bits: int = BEAT_BITS) -> data.StructLayout:
    """One beat for one memory of the core; of a wide one most memories take the lowest 64 bits.

    `destination` is the memory's number in the command set, `address` counts beats from its start.
    """
    return data.StructLayout(
        {"destination": unsigned(DESTINATION_BITS), "address": unsigned(16), "data": unsigned(beat_bits)}
    )


def destination_write_signature(beat_bits: int = BEAT_BITS) -> stream.Signature:
    """From WEIGHTS (Out) to each memory of the core (In), which takes a beat in any cycle; readable in the next one."""
    return stream.Signature(destination_write(beat_bits), always_ready=True)


def narrow_write(m: Module, write: stream.Interface, narrow: stream.Interface) -> None:
    """`narrow` gets the lowest bits of the beats of `write`."""
    m.d.comb += narrow.valid.eq(write.valid)
    for name in ("destination", "address", "data"):
        m.d.comb += narrow.payload[name].eq(write.payload[name][: len(narrow.payload[name])])
