"""Counted tokens between the verbs: how the five queues wait for one another."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hdl.carry_sum import add_with_carry
from .command import TOKEN_BITS, Verb

COUNTER_BITS = 10
"""Width of a token counter: at most 1023 tokens of a pair exist at once (the compiler's duty)."""


class TokenSignature(wiring.Signature):
    """How a verb's queue waits for tokens.

    Members:
        wait: for every verb, the number of its tokens that the next command needs.
        missing: bit v: verb v has not given `wait[v]` tokens yet. Combinational from `wait`.
        take: takes the `wait` tokens; only while none is missing, and not in two cycles in a row.
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

    A token given in cycle t counts from cycle t + 1, one taken in cycle t is gone from cycle t + 2. A verb
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
                # What is taken is subtracted a cycle later: one sum then does for all.
                taken = Signal(signed(TOKEN_BITS + 1), name=f"{name}_taken")
                m.d.comb += missing[giver].eq(count < wait)
                m.d.sync += [taken.eq(0), count.eq(add_with_carry(count, taken, given))]
                with m.If(port.take):
                    m.d.sync += taken.eq(-wait)
            m.d.comb += port.missing.eq(Cat(missing))
        return m
