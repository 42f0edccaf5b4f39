"""What every port of the UART does in every cycle, from the places of its bits in time.

Models as in `block_models.py`.
"""

from collections import deque

from celosia.hdl.uart import STEP_BITS
from tests.hdl.block_models import Ports

_BIT = 1 << STEP_BITS
_STOP = 9


def _cycles(half_bits: int, step: int) -> int:
    """Cycles until so many halves of a bit are over."""
    return -(-half_bits * _BIT // (2 * step))


class TransmitterModel:
    """UartTransmitter at one rate: the byte on the line, and the cycle in which it was taken."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._cycle = 0
        self._taken: tuple[int, int] | None = None  # cycle, byte

    def _bit(self) -> int:
        """The bit on the line: 0 is the start bit, -1 none yet, `_STOP` + 1 none any more."""
        if self._taken is None:
            return _STOP + 1
        elapsed = self._cycle - self._taken[0] - 1
        return max((bit for bit in range(_STOP + 2) if _cycles(2 * bit, self._step) <= elapsed), default=-1)

    def outputs(self, inputs: Ports) -> Ports:
        bit = self._bit()
        level = 1
        if bit == 0:
            level = 0
        elif 0 < bit < _STOP and self._taken is not None:
            level = self._taken[1] >> bit - 1 & 1
        return {"i__ready": int(bit > _STOP), "line": level}

    def step(self, inputs: Ports) -> None:
        if self._bit() > _STOP and inputs["i__valid"]:
            self._taken = self._cycle, inputs["i__payload"]
        self._cycle += 1


class ReceiverModel:
    """UartReceiver at one rate: levels behind the synchronizer, and the samples of the byte that is coming in."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._cycle = 0
        self._synchronizer = deque([1, 1], maxlen=2)
        self._start: int | None = None  # cycle in which the line was first low
        self._samples: list[int] = []
        self._is_broken = False
        self._byte: int | None = None

    def outputs(self, inputs: Ports) -> Ports:
        if self._byte is None:
            return {"o__valid": 0}
        return {"o__valid": 1, "o__payload": self._byte}

    def step(self, inputs: Ports) -> None:
        line = self._synchronizer[0]
        self._synchronizer.append(inputs["line"])
        self._byte = None
        if self._start is None:
            if line:
                self._is_broken = False
            elif not self._is_broken:
                self._start, self._samples = self._cycle, []
        elif self._cycle == self._start + _cycles(2 * len(self._samples) + 1, self._step) - 1:
            self._sample(line)
        self._cycle += 1

    def _sample(self, line: int) -> None:
        self._samples.append(line)
        if self._samples == [1]:  # noise
            self._start = None
        elif len(self._samples) == _STOP + 1:
            self._start, self._is_broken = None, not line
            if line:
                self._byte = sum(bit << place for place, bit in enumerate(self._samples[1:_STOP]))
