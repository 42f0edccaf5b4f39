"""The weight store: a ring that WEIGHTS fills and the cores' weight registers are loaded from."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..chassis.destination_port import BEAT_BITS, destination_write_signature
from .config import MacEngineConfig
from .isa import WEIGHT_WORD_BYTES, Destination

_WORD_BITS = WEIGHT_WORD_BYTES * 8
_MEMORY: dict[str, Any] = {"ram_style": "block", "no_rw_check": "1"}


class WeightPort(wiring.Signature):
    """Reads of the weight store, one a cycle. Seen from the reader.

    Members
    -------
    address : Out(range(weight_words))
        Word to read.
    data : In(128)
        That word in the next cycle.
    """

    def __init__(self, config: MacEngineConfig) -> None:
        super().__init__({"address": Out(range(config.weight_words)), "data": In(_WORD_BITS)})

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "WeightReads":
        """The interface with these members."""
        return WeightReads(self, path=path, src_loc_at=1 + src_loc_at)


class WeightReads(wiring.PureInterface):
    """Interface of `WeightPort`."""

    address: Signal
    data: Signal


def decoded_word_signature(config: MacEngineConfig) -> stream.Signature:
    """Whole words for the weight store: `address` and `data`; one is taken in any cycle."""
    word = data.StructLayout({"address": range(config.weight_words), "data": unsigned(_WORD_BITS)})
    return stream.Signature(word, always_ready=True)


class WeightStore(wiring.Component):
    """`weight_words` words of 128 bits in block RAM, written in halves or whole.

    Members:
        writes: WEIGHTS' port; takes the beats for `Destination.WEIGHT_STORE`. A word may be read in the next cycle.
        decoded: words from the decoder, never in a cycle in which a beat comes.
        reads: `WeightPort`.
    """

    decoded: stream.Interface
    writes: stream.Interface
    reads: WeightReads

    def __init__(self, config: MacEngineConfig) -> None:
        self._words = config.weight_words
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "decoded": In(decoded_word_signature(config)),
                "reads": In(WeightPort(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One memory."""
        m = Module()
        m.submodules.words = words = Memory(
            shape=unsigned(_WORD_BITS), depth=self._words, init=[], attrs=_MEMORY
        )
        read, write = words.read_port(), words.write_port(granularity=BEAT_BITS)
        beat, word = self.writes.payload, self.decoded.payload
        chosen = self.writes.valid & (beat.destination == Destination.WEIGHT_STORE)
        m.d.comb += [
            read.addr.eq(self.reads.address),
            self.reads.data.eq(read.data),
            write.addr.eq(Mux(self.decoded.valid, word.address, beat.address[1:])),
            write.data.eq(Mux(self.decoded.valid, word.data, beat.data.replicate(2))),
            write.en.eq((chosen << beat.address[0]) | self.decoded.valid.replicate(2)),
        ]
        return m
