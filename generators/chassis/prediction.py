"""What the cycle model of a family says of a command list."""

from dataclasses import dataclass


class TimingError(ValueError):
    """A command list that never ends: some command waits for what no other gives."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Cycles of one run.

    Attributes:
        cycles: from the start write to the interrupt, as the CYCLES register counts them.
        snapshots: value of CYCLES in each snapshot, in order.
    """

    cycles: int
    snapshots: tuple[int, ...]
