"""The memory contract: what every cycle of the AXI memory port looks like.

`sim/axi_memory.h` implements it in C++ and the cycle models (`generators/*/timing.py`) predict it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

MAXIMUM_OUTSTANDING = 64
"""The largest limit of outstanding bursts, per direction."""

_PROBABILITY_STEPS = 4096
_MAXIMUM_LATENCY = 1 << 20
_WEIGHTS_SEED = 1 << 63
_MAXIMUM_RATE_TERM = 1 << 20


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """A memory behind one AXI4 port: fixed latency, a bandwidth shared by reads and writes, in order.

    An accelerator may have a second port, which only reads, for its weights: the same rules hold there, apart from this
    one, with a bandwidth of its own.

    This docstring is the memory contract. `beat` is the width of the port in bytes (data bits / 8). Cycle
    `t` ends with the rising edge `t` of the clock; a handshake *in* cycle `t` has valid and ready high at
    that edge. Cycles are counted from the end of reset. All the memory drives in cycle `t` follows from
    handshakes in cycles before `t`; nothing depends combinationally on the master.

    Bandwidth. `credit`, in bytes, is an exact rational. A cycle starts with

        credit = 0                                            if no burst is outstanding
        credit = min(credit, beat - 1 / d) + bytes_per_cycle  otherwise

    where `d` is the denominator of `bytes_per_cycle`: unused credit is carried over, always less than one
    beat. A beat costs `beat` bytes, whatever its strobes or its burst's alignment. Reads come first:

    1. Read beats. The next beat in order is newly presented (`rvalid` rises or stays high with new data) if
       no beat waits for its `rready` from an earlier cycle, its burst's address handshake was in cycle
       `a <= t - latency`, and `credit >= beat`; `credit` then falls by `beat`. A beat waiting for `rready`
       stays, costs nothing more, and holds back the beats after it.
    2. Write beats. `wready` is high if a burst whose address handshake was in a cycle before `t` still lacks
       data, and `credit >= beat` (after step 1). A write handshake lowers `credit` by `beat`; `wready`
       without `wvalid` costs nothing.
    3. Write responses. The next `bvalid` rises, in order, if none waits for its `bready` and the handshake of
       its last beat was in cycle `w <= t - latency`.

    Outstanding bursts. A read burst is outstanding from the cycle after its address handshake up to and with
    the cycle of its last beat's handshake, a write burst up to and with the cycle of its response's
    handshake. `arready` is high if fewer than `outstanding_reads` read bursts are outstanding, `awready` if
    fewer than `outstanding_writes` write bursts are.

    Data. A read beat shows the memory as it was at the start of the cycle in which it is newly presented; a
    write beat changes it with its handshake. Reads and writes are ordered in no other way. Bursts are INCR
    with full-width beats; the first address is rounded down to a beat. A burst touching a byte outside the
    memory gets DECERR in all its beats: a read returns zeros, a write changes nothing.

    Back-pressure. With a `seed`, a channel may pause in any cycle: `arready`, `awready` and `wready` are low,
    a new read beat (without being charged) or response is held back; what is already presented stays. The
    pauses of cycle `t` come from `z = splitmix64(seed + t)`, the finaliser of SplitMix64 applied to
    `seed + t + 1` times 0x9E3779B97F4A7C15 modulo 2**64: the channel AR, R, AW, W, B (k = 0..4) pauses if
    bits 12 k .. 12 k + 11 of `z` are less than `floor(pause_probability * 4096)`.

    Attributes:
        latency: cycles from an address handshake to the first read beat, and from the last write beat to its
            response, 1 or more.
        bytes_per_cycle: bandwidth of the port, reads and writes together, in bytes per clock cycle.
        weights_bytes_per_cycle: bandwidth of the port for weights, where there is one; `None` for a beat a cycle.
        outstanding_reads: limit of accepted read bursts, 1..64.
        outstanding_writes: limit of accepted write bursts, 1..64.
        seed: of the random pauses, 0..2**64 - 1; `None` for none. The port for weights pauses by that with the highest
            bit inverted.
        pause_probability: of each channel in each cycle when there is a seed, 0..1 (exclusive).

    Raises:
        TypeError, ValueError: an attribute is of another type or outside its range.
    """

    latency: int = 32
    bytes_per_cycle: Fraction = Fraction(8)
    outstanding_reads: int = 8
    outstanding_writes: int = 8
    seed: int | None = None
    pause_probability: Fraction = Fraction(1, 4)
    weights_bytes_per_cycle: Fraction | None = None

    def __post_init__(self) -> None:
        _check_integer("latency", self.latency, 1, _MAXIMUM_LATENCY)
        _check_integer("outstanding_reads", self.outstanding_reads, 1, MAXIMUM_OUTSTANDING)
        _check_integer("outstanding_writes", self.outstanding_writes, 1, MAXIMUM_OUTSTANDING)
        if self.seed is not None:
            _check_integer("seed", self.seed, 0, (1 << 64) - 1)
        for name in ("bytes_per_cycle", "pause_probability", "weights_bytes_per_cycle"):
            value = getattr(self, name)
            if name == "weights_bytes_per_cycle" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
                raise TypeError(
                    f"{name} must be an int or a fractions.Fraction, exact on every machine, "
                    f"not {type(value).__name__}; for instance Fraction('{value}')"
                )
            object.__setattr__(self, name, Fraction(value))
        _check_rate("bytes_per_cycle", self.bytes_per_cycle)
        if self.weights_bytes_per_cycle is not None:
            _check_rate("weights_bytes_per_cycle", self.weights_bytes_per_cycle)
        if not 0 <= self.pause_probability < 1:
            raise ValueError(
                f"pause_probability must be 0 or more and less than 1, not {self.pause_probability}"
            )

    def beat_cycles(self, beat_bytes: int) -> float:
        """Cycles between beats of that size in a stream, at least 1."""
        return max(1.0, float(beat_bytes / self.bytes_per_cycle))

    def of_weights(self, beat_bytes: int) -> "MemoryModel":
        """The memory as the port for weights, with beats of so many bytes, sees it: its own bandwidth and pauses."""
        rate = Fraction(beat_bytes) if self.weights_bytes_per_cycle is None else self.weights_bytes_per_cycle
        seed = None if self.seed is None else self.seed ^ _WEIGHTS_SEED
        return replace(self, bytes_per_cycle=rate, seed=seed)

    @property
    def pause_threshold(self) -> int:
        """A channel pauses if its 12 random bits are less than this; 0 without a seed."""
        return 0 if self.seed is None else int(self.pause_probability * _PROBABILITY_STEPS)


def _check_rate(name: str, rate: Fraction) -> None:
    if rate <= 0:
        raise ValueError(f"{name} must be positive, not {rate}")
    if max(rate.numerator, rate.denominator) > _MAXIMUM_RATE_TERM:
        raise ValueError(
            f"{name} must have numerator and denominator up to {_MAXIMUM_RATE_TERM}, not {rate}; "
            "use Fraction.limit_denominator"
        )


def _check_integer(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be {low}..{high}, not {value}")
