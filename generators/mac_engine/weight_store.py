"""The weight store: a ring that WEIGHTS fills and the cores' weight registers are loaded from."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
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
        """A memory for each of `weight_memories`; the word's address says which, and its low bits where."""
        m = Module()
        beat, word = self.writes.payload, self.decoded.payload
        chosen = self.writes.valid & (beat.destination == Destination.WEIGHT_STORE)
        address = Signal(range(self._words))
        enable = Signal(2)
        m.d.comb += [
            address.eq(Mux(self.decoded.valid, word.address, beat.address[1:])),
            enable.eq((chosen << beat.address[0]) | self.decoded.valid.replicate(2)),
        ]
        read_words: list[Value] = []
        memories = weight_memories(self._words)
        for place, depth in enumerate(memories):
            m.submodules[f"words_{place}"] = words = Memory(
                shape=unsigned(_WORD_BITS), depth=depth, init=[], attrs=_MEMORY
            )
            read, write = words.read_port(), words.write_port(granularity=BEAT_BITS)
            is_here = Const(1) if len(memories) == 1 else _is_upper(address, memories) == place
            m.d.comb += [
                read.addr.eq(self.reads.address),
                write.addr.eq(address),
                write.data.eq(Mux(self.decoded.valid, word.data, beat.data.replicate(2))),
                write.en.eq(Mux(is_here, enable, 0)),
            ]
            read_words.append(read.data)
        if len(memories) == 1:
            m.d.comb += self.reads.data.eq(read_words[0])
        else:
            was_upper = Signal()
            m.d.sync += was_upper.eq(_is_upper(self.reads.address, memories))
            m.d.comb += self.reads.data.eq(Mux(was_upper, read_words[1], read_words[0]))
        return m


def weight_memories(words: int) -> tuple[int, ...]:
    """Depths of the memories that hold `words`: the largest power of two, and the rest if there is one.

    Block RAM is as deep as a power of two; one memory of another depth would be cut into as many equal parts as the
    smallest needs, with a multiplexer among all of them.
    """
    largest = 1 << (words.bit_length() - 1)
    return (largest, words - largest) if words > largest else (words,)


def _is_upper(address: Value, memories: tuple[int, ...]) -> Value:
    return address[memories[0].bit_length() - 1]
