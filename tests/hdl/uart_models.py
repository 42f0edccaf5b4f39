"""What receiver and transmitter of the serial line do in every cycle: when a bit is sampled, and when it begins.

See `block_models` for what a model is.
"""

from collections import deque

from celosia.hdl.uart import STEP_BITS
from tests.hdl.block_models import Ports, offered

_FRAME_BITS = 10
_SYNCHRONIZER_CYCLES = 2


def _cycles(half_bits: int, step: int) -> int:
    """The least whole number of cycles that so many half bits take at most."""
    return -(-(half_bits << STEP_BITS) // (2 * step))


class UartReceiverModel:
    """UartReceiver: the cycles in which the bits of the frame are sampled, counted from its edge."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._cycle = 0
        self._line = deque([1] * _SYNCHRONIZER_CYCLES)
        self._samples: deque[int] = deque()
        self._bits: list[int] = []
        self._waits_for_idle = False
        self._byte: int | None = None

    def outputs(self, inputs: Ports) -> Ports:
        return offered("o", self._byte)

    def step(self, inputs: Ports) -> None:
        level = self._line.popleft()
        self._line.append(inputs["line"])
        self._byte = None
        if self._samples:
            if self._cycle == self._samples[0]:
                self._samples.popleft()
                self._sample(level)
        elif level:
            self._waits_for_idle = False
        elif not self._waits_for_idle:
            middles = (_cycles(2 * number + 1, self._step) for number in range(_FRAME_BITS))
            self._samples.extend(self._cycle + middle - 1 for middle in middles)
            self._bits = []
        self._cycle += 1

    def _sample(self, level: int) -> None:
        self._bits.append(level)
        if self._bits == [1]:
            self._samples.clear()
        if len(self._bits) == _FRAME_BITS:
            self._waits_for_idle = not level
            if level:
                self._byte = sum(bit << place for place, bit in enumerate(self._bits[1:-1]))


class UartTransmitterModel:
    """UartTransmitter: the cycle in which the last frame began, and its bits."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._cycle = 0
        self._frame = [1] * _FRAME_BITS
        self._begins = [0] * (_FRAME_BITS + 1)
        """Cycles in which the frame's bits begin, and in which it is over."""

    def outputs(self, inputs: Ports) -> Ports:
        begun = [bit for bit, begin in zip(self._frame, self._begins, strict=False) if begin <= self._cycle]
        return {"line": begun[-1], "i__ready": int(self._cycle >= self._begins[-1])}

    def step(self, inputs: Ports) -> None:
        if self.outputs(inputs)["i__ready"] and inputs["i__valid"]:
            byte = inputs["i__payload"]
            self._frame = [0, *(byte >> place & 1 for place in range(8)), 1]
            first = self._cycle + 1
            self._begins = [first + _cycles(2 * number, self._step) for number in range(_FRAME_BITS + 1)]
        self._cycle += 1
