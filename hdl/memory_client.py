"""What stands between an AXI port and a memory that cannot wait: `ReadClientSignature`'s counterpart for writes."""

from amaranth.hdl import Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import burst_layout, check_widths
from .axi_writer import packed_beat_layout


class WriteClientSignature(wiring.Signature):
    """What a client that writes drives: legal bursts, each once all of its beats are there.

    Members:
        request: a burst, `burst_layout`.
        beats: the beats of the bursts, `packed_beat_layout`, in order and as early as they are there. From the cycle in
            which a request is offered on, its beats are offered one after the other without a gap.
        written: a beat is written in this cycle, in order: what is read from then on sees it.
    """

    def __init__(self, address_bits: int, data_bits: int) -> None:
        check_widths(address_bits, data_bits)
        super().__init__(
            {
                "request": Out(stream.Signature(burst_layout(address_bits))),
                "beats": Out(stream.Signature(packed_beat_layout(data_bits))),
                "written": In(1),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "WriteClient":
        """The interface with these members."""
        return WriteClient(self, path=path, src_loc_at=1 + src_loc_at)


class WriteClient(wiring.PureInterface):
    """Interface of `WriteClientSignature`."""

    request: stream.Interface
    beats: stream.Interface
    written: Signal
