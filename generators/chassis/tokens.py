"""Counted tokens between the verbs: how the five queues wait for one another."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .command import TOKEN_BITS, Verb

COUNTER_BITS = 10
"""Width of a token counter: at most 1023 tokens of a pair exist at once (the compiler's duty)."""


class TokenSignature(wiring.Signature):
    """How a verb's queue waits for tokens.

    Members:
        wait: for every verb, the number of its tokens that the next command needs.
        missing: bit v: verb v has not given `wait[v]` tokens yet. Combinational from `wait`.
        take: takes the `wait` tokens; may be high only in a cycle after one in which none was missing.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "wait": Out(data.ArrayLayout(TOKEN_BITS, len(Verb))),
                "missing": In(len(Verb)),
                "take": Out(1),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "TokenPort":
        """The interface with these members."""
        return TokenPort(self, path=path, src_loc_at=1 + src_loc_at)


class TokenPort(wiring.PureInterface):
    """Interface of `TokenSignature`."""

    wait: data.View
    missing: Signal
    take: Signal


class TokenCounters(wiring.Component):
    """One counter of `COUNTER_BITS` bits for every ordered pair of different verbs.

    A token given in cycle t counts from cycle t + 1, one taken in cycle t is gone from cycle t + 1. A verb
    has no tokens of its own: its wait for itself is always satisfied.

    Members:
        verbs: a token port for each verb, indexed by `Verb`.
        given: for each verb what it gives in this cycle, bit v: one token to verb v.
    """

    verbs: list[TokenPort]
    given: data.View

    def __init__(self) -> None:
        super().__init__(
            {
                "verbs": In(TokenSignature()).array(len(Verb)),
                "given": In(data.ArrayLayout(len(Verb), len(Verb))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A counter for each pair."""
        m = Module()
        for receiver in Verb:
            port = self.verbs[receiver]
            missing = Signal(len(Verb), name=f"{receiver.name.lower()}_missing")
            for giver in Verb:
                if giver is receiver:
                    continue
                name = f"{giver.name.lower()}_to_{receiver.name.lower()}"
                count = Signal(COUNTER_BITS, name=name)
                wait = port.wait[giver]
                given = self.given[giver][receiver]
                left = Signal(COUNTER_BITS + 1, name=f"{name}_left")  # one subtraction compares and takes
                m.d.comb += [left.eq(count - wait), missing[giver].eq(left[-1])]
                m.d.sync += count.eq(Mux(port.take, left[:COUNTER_BITS], count) + given)
            m.d.comb += port.missing.eq(Cat(missing))
        return m
