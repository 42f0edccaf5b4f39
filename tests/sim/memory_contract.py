"""The memory contract again, straight from `MemoryModel`'s docstring and too simple to be wrong."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from celosia.generators.chassis.memory import MemoryModel

_MASK = (1 << 64) - 1


def _split_mix64(counter: int) -> int:
    z = (counter + 1) * 0x9E3779B97F4A7C15 & _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


@dataclass
class _Read:
    accepted: int
    beats: list[int]  # addresses of the beats not yet accepted


@dataclass
class _Write:
    accepted: int
    beats: list[int]
    last: int | None = None  # cycle of the last beat's handshake


@dataclass
class MemoryContract:
    """Feed `cycle` with what the master drives, cycle by cycle; it returns what the memory drives."""

    model: MemoryModel
    memory: np.ndarray
    beat: int
    now: int = 0
    credit: Fraction = Fraction(0)
    reads: list[_Read] = field(default_factory=list)
    writes: list[_Write] = field(default_factory=list)
    presented: bytes | None = None  # read beat waiting for rready
    response: bool = False  # response waiting for bready

    def cycle(self, master: dict[str, int]) -> dict[str, int | bytes]:
        model, beat, now = self.model, self.beat, self.now
        random = _split_mix64((model.seed or 0) + now)
        threshold = 0 if model.seed is None else int(model.pause_probability * 4096)
        ar, r, aw, w, b = (((random >> 12 * k) & 0xFFF) < threshold for k in range(5))

        if self.reads or self.writes:
            carried = min(self.credit, beat - Fraction(1, model.bytes_per_cycle.denominator))
            self.credit = carried + model.bytes_per_cycle
        else:
            self.credit = Fraction(0)

        eligible = bool(self.reads) and self.reads[0].accepted <= now - model.latency
        if self.presented is None and eligible and self.credit >= beat and not r:
            address = self.reads[0].beats[0]
            self.presented = self.memory[address : address + beat].tobytes()
            self.credit -= beat
        lacking = [write for write in self.writes if write.beats]
        wready = bool(lacking) and self.credit >= beat and not w
        last = self.writes[0].last if self.writes else None
        if not self.response and last is not None and last <= now - model.latency and not b:
            self.response = True
        drives: dict[str, int | bytes] = {
            "rvalid": int(self.presented is not None),
            "wready": int(wready),
            "bvalid": int(self.response),
            "arready": int(len(self.reads) < model.outstanding_reads and not ar),
            "awready": int(len(self.writes) < model.outstanding_writes and not aw),
        }
        if self.presented is not None:
            drives["rdata"] = self.presented
            drives["rlast"] = int(len(self.reads[0].beats) == 1)

        if self.presented is not None and master["rready"]:
            self.presented = None
            self.reads[0].beats.pop(0)
            if not self.reads[0].beats:
                self.reads.pop(0)
        if wready and master["wvalid"]:
            self.credit -= beat
            address = lacking[0].beats.pop(0)
            for lane in range(beat):
                if master["wstrb"] >> lane & 1:
                    self.memory[address + lane] = master["wdata"] >> 8 * lane & 0xFF
            if not lacking[0].beats:
                lacking[0].last = now
        if self.response and master["bready"]:
            self.response = False
            self.writes.pop(0)
        if drives["arready"] and master["arvalid"]:
            self.reads.append(_Read(now, self._beats(master["araddr"], master["arlen"])))
        if drives["awready"] and master["awvalid"]:
            self.writes.append(_Write(now, self._beats(master["awaddr"], master["awlen"])))
        self.now += 1
        return drives

    def _beats(self, address: int, length: int) -> list[int]:
        first = address // self.beat * self.beat
        return [first + self.beat * i for i in range(length + 1)]
