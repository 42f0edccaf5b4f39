"""A board in Amaranth's simulator, reached through the two wires of its serial line."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from amaranth.hdl import Elaboratable, Signal
from amaranth.sim import Simulator

from celosia.boards.accelerator_system import LINE_DOMAIN

CYCLES_A_BIT = 6
_BITS = 10
_CYCLES_A_STEP = 400


class PinBoard:
    """`step` as `tests.link_bench.line.DirectPort` wants it.

    Clock domains and their periods in seconds are `periods`; further endless `processes` may take part.
    """

    def __init__(
        self,
        top: Elaboratable,
        receive: Signal,
        transmit: Signal,
        periods: Mapping[str, float],
        *processes: Callable[..., Any],
    ) -> None:
        self._receive = receive
        self._transmit = transmit
        self._to_board: deque[int] = deque()  # bits
        self._from_board = bytearray()
        self._cycles = 0
        self._simulator = Simulator(top)
        for number, (name, period) in enumerate(periods.items()):
            self._simulator.add_clock(period, phase=period * (number + 1) / 7, domain=name)
        for process in (self._send_and_listen, *processes):
            self._simulator.add_testbench(process, background=True)

    def step(self, line: bytes) -> bytes:
        for byte in line:
            bits = byte << 1 | 1 << (_BITS - 1)
            self._to_board.extend(bits >> place & 1 for place in range(_BITS))
        end = self._cycles + _CYCLES_A_STEP
        while self._to_board or self._cycles < end:
            self._simulator.advance()
        answer = bytes(self._from_board)
        self._from_board.clear()
        return answer

    async def _send_and_listen(self, ctx: Any) -> None:
        """A bit every `CYCLES_A_BIT`; what comes back is sampled in the middle of its bits."""
        ctx.set(self._receive, 1)
        heard: list[int] = []
        wait = 0
        while True:
            if self._cycles % CYCLES_A_BIT == 0 and self._to_board:
                ctx.set(self._receive, self._to_board.popleft())
            (level,) = (await ctx.tick(LINE_DOMAIN).sample(self._transmit))[-1:]
            self._cycles += 1
            wait -= 1
            if not heard and wait < 0 and not level:
                heard.append(0)
                wait = CYCLES_A_BIT + CYCLES_A_BIT // 2
            elif heard and wait == 0:
                heard.append(level)
                wait = CYCLES_A_BIT
                if len(heard) == _BITS:
                    assert level, "a stop bit is high"
                    self._from_board.append(sum(bit << place for place, bit in enumerate(heard[1:-1])))
                    heard, wait = [], 0
