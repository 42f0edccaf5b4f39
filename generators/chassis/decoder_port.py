"""The port between WEIGHTS and a family's decoder of its streams."""

from amaranth.hdl import Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .command import CommandLayout
from .destination_port import BEAT_BITS


class DecoderSignature(wiring.Signature):
    """One coded command at a time; its beats, and those of the commands behind it, come in order, whenever they come.

    Seen from the WEIGHTS unit.

    Members
    -------
    start : Out(1)
        A coded command begins; beats of it may be in the decoder's queue already.
    command : Out(layout.struct())
        That command, held until the cycle after `finished`, or for good after `malformed`.
    beats : Out(stream.Signature(unsigned(beat_bits), always_ready=True))
        Beats of coded commands: never more than the decoder's queue has places for.
    freed : In(1)
        A beat left the decoder's queue, or as many as the WEIGHTS unit was told that leave together.
    finished : In(1)
        All of it was decoded and is in its destination.
    malformed : In(1)
        The command and its beats do not fit together.
    """

    def __init__(self, layout: CommandLayout, beat_bits: int = BEAT_BITS) -> None:
        super().__init__(
            {
                "start": Out(1),
                "command": Out(layout.struct()),
                "beats": Out(stream.Signature(unsigned(beat_bits), always_ready=True)),
                "freed": In(1),
                "finished": In(1),
                "malformed": In(1),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "DecoderPort":
        """The interface with these members."""
        return DecoderPort(self, path=path, src_loc_at=1 + src_loc_at)


class DecoderPort(wiring.PureInterface):
    """Interface of `DecoderSignature`."""

    start: Signal
    command: data.View
    beats: stream.Interface
    freed: Signal
    finished: Signal
    malformed: Signal
