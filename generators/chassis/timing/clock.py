"""Simulated time: what happens in which cycle, skipping the cycles in which nothing does."""

import heapq
from collections.abc import Callable

MEMORY_PHASE = 0
"""The memory presents beats; within a cycle, before anything else."""
REGISTER_PHASE = 1
"""Registers that the arbiter sees take what the cycle before left for them."""
ARBITER_PHASE = 2
"""Requests that are registers at the start of the cycle are granted."""
UNIT_PHASE = 3
"""Units move to their next state."""


class Clock:
    """A queue of actions, each for a cycle and a phase of it.

    Attributes:
        now: the cycle of the action that runs.
    """

    def __init__(self) -> None:
        self.now = 0
        self._actions: list[tuple[int, int, int, Callable[[int], None]]] = []
        self._count = 0

    def at(self, cycle: int, phase: int, action: Callable[[int], None]) -> None:
        """Call `action(cycle)` in that cycle and phase; actions of one phase run in the order of these calls."""
        self._count += 1
        heapq.heappush(self._actions, (cycle, phase, self._count, action))

    def run(self) -> None:
        """Run until nothing is left to do."""
        actions = self._actions
        while actions:
            self.now, _, _, action = heapq.heappop(actions)
            action(self.now)
