"""Faults the simulated memory can show, to see that an accelerator survives them."""

from dataclasses import dataclass
from typing import Literal

Response = Literal["SLVERR", "DECERR"]
Direction = Literal["read", "write"]
BurstDirection = Literal["read", "write", "weights"]


@dataclass(frozen=True, slots=True)
class BurstError:
    """One burst fails: all beats of a read, or the response of a write that then changes nothing.

    Attributes:
        direction: "read", "write", or "weights" for a read on the port for weights.
        burst: which one, 0 for the first accepted after the fault is injected.
        response: "SLVERR" or "DECERR".
    """

    direction: BurstDirection
    burst: int
    response: Response = "SLVERR"

    def __post_init__(self) -> None:
        _check_choice("direction", self.direction, ("read", "write", "weights"))
        _check_choice("response", self.response, ("SLVERR", "DECERR"))
        _check_count("burst", self.burst)


@dataclass(frozen=True, slots=True)
class AddressError:
    """Every burst that touches the addresses `first <= address < limit` fails.

    Attributes:
        direction: "read" or "write".
        first, limit: byte addresses.
        response: "SLVERR" or "DECERR".
    """

    direction: Direction
    first: int
    limit: int
    response: Response = "DECERR"

    def __post_init__(self) -> None:
        _check_choice("direction", self.direction, ("read", "write"))
        _check_choice("response", self.response, ("SLVERR", "DECERR"))
        _check_count("first", self.first)
        _check_count("limit", self.limit)
        if self.limit <= self.first:
            raise ValueError(f"limit must be greater than first ({self.first}), not {self.limit}")


@dataclass(frozen=True, slots=True)
class Silence:
    """The memory stops answering: no ready, no new read beat, no new response.

    Attributes:
        beats: how many read and write beats are still transferred after the fault is injected. A read beat
            or response presented by then is still delivered.
    """

    beats: int

    def __post_init__(self) -> None:
        _check_count("beats", self.beats)


Fault = BurstError | AddressError | Silence


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, not {value!r}")


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not 0 <= value < 1 << 63:
        raise ValueError(f"{name} must be 0 or more and less than 2**63, not {value}")
