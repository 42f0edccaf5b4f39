"""One entry of a stream that the solver marks: if any one entry comes out right and in its turn, all do."""

from amaranth.hdl import Module, ShapeLike, Signal, Value

from tests.formal.prover import always, anything, implies


class MarkedEntry:
    """Follows an arbitrary entry through something that keeps order.

    Attributes:
        held: it was taken and not yet given.
        value: what it was.
        position: entries that are given before it.
    """

    def __init__(
        self,
        m: Module,
        shape: ShapeLike,
        *,
        taken: Value,
        given: Value,
        entry: Value,
        inside: Value,
        most: int,
    ) -> None:
        self.held = Signal()
        self.value = Signal(shape)
        self.position = Signal(range(most + 1))
        with m.If(self.held & given):
            m.d.sync += self.position.eq(self.position - 1)
            with m.If(self.position == 0):
                m.d.sync += self.held.eq(0)
        with m.If(taken & ~self.held & anything(1)):
            m.d.sync += [self.held.eq(1), self.value.eq(entry), self.position.eq(inside - given)]
        always(m, implies(self.held, self.position < inside))
