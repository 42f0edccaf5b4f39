"""Command lists with their dependencies: what each command touches becomes the tokens it waits for.

Lowering appends commands in an order that would be right if they ran one after the other, and says which
parts of which memories each of them reads and writes. Hazards between commands of different verbs become
tokens; within a verb the queue's own order suffices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .command import BEGIN, COMMAND_BYTES, HALT, CommandLayout, Opcode, Verb


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses low..high-1 of a memory called `memory`, in that memory's own units."""

    memory: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high:
            raise ValueError(
                f"span of {self.memory} must be a rising range from 0 on, not {self.low}..{self.high}"
            )


def ring_spans(memory: str, address: int, length: int, depth: int) -> tuple[Span, ...]:
    """The one or two spans of `length` words from `address` on in a memory that wraps at `depth`."""
    address %= depth
    if length > depth:
        raise ValueError(f"{length} words do not fit {memory} of {depth}")
    end = address + length
    if end <= depth:
        return (Span(memory, address, end),)
    return Span(memory, address, depth), Span(memory, 0, end - depth)


@dataclass(frozen=True, slots=True)
class Command:
    """One command before its tokens are known. `layer` is the index of the layer it serves."""

    opcode: Opcode
    fields: Mapping[str, int]
    reads: tuple[Span, ...] = ()
    writes: tuple[Span, ...] = ()
    layer: int = 0

    @property
    def verb(self) -> Verb:
        """Whose queue it goes to."""
        return Verb[self.opcode.name]


class _Tracker:
    """Per memory and verb: the index of the last command that wrote and that read each address."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, Verb, bool], np.ndarray] = {}

    def latest(self, span: Span, verb: Verb, is_write: bool) -> int:
        """Index of the latest such access that overlaps `span`, -1 if there is none."""
        history = self._last.get((span.memory, verb, is_write))
        if history is None or span.low >= len(history):
            return -1
        return int(history[span.low : span.high].max())

    def record(self, span: Span, verb: Verb, is_write: bool, index: int) -> None:
        key = (span.memory, verb, is_write)
        history = self._last.get(key, np.full(0, -1, np.int64))
        if span.high > len(history):
            grown = np.full(max(span.high, 2 * len(history)), -1, np.int64)
            grown[: len(history)] = history
            history = self._last[key] = grown
        history[span.low : span.high] = index


def dependencies(commands: Sequence[Command]) -> list[dict[Verb, int]]:
    """For each command, for each other verb, the latest earlier command of that verb it must wait for."""
    tracker = _Tracker()
    result: list[dict[Verb, int]] = []
    for index, command in enumerate(commands):
        needed: dict[Verb, int] = {}
        for verb in Verb:
            if verb == command.verb:
                continue
            latest = max(
                (
                    *(tracker.latest(span, verb, True) for span in command.reads),
                    *(tracker.latest(span, verb, True) for span in command.writes),
                    *(tracker.latest(span, verb, False) for span in command.writes),
                ),
                default=-1,
            )
            if latest >= 0:
                needed[verb] = latest
        for span in command.reads:
            tracker.record(span, command.verb, False, index)
        for span in command.writes:
            tracker.record(span, command.verb, True, index)
        result.append(needed)
    return result


@dataclass(slots=True)
class _Tokens:
    waits: dict[Verb, int] = field(default_factory=dict)
    signals: set[Verb] = field(default_factory=set)


def assign_tokens(commands: Sequence[Command]) -> list[dict[str, int]]:
    """Header fields (`wait_*`, `signal`) of every command.

    A command waits for at most one token of each verb: a dependency that an earlier command of the same
    queue already waited for costs nothing.
    """
    tokens = [_Tokens() for _ in commands]
    awaited: dict[tuple[Verb, Verb], int] = {}
    for index, needed in enumerate(dependencies(commands)):
        waiter = commands[index].verb
        for giver, latest in needed.items():
            if latest > awaited.get((giver, waiter), -1):
                awaited[giver, waiter] = latest
                tokens[index].waits[giver] = 1
                tokens[latest].signals.add(waiter)
    return [
        {
            **{f"wait_{verb.name.lower()}": count for verb, count in entry.waits.items()},
            "signal": sum(1 << verb for verb in entry.signals),
        }
        for entry in tokens
    ]


def encode_commands(
    commands: Sequence[Command], layouts: Mapping[Opcode, CommandLayout], configuration_hash: int
) -> bytes:
    """The command list as it lies in memory: BEGIN, the commands with their tokens, HALT."""
    words = [BEGIN.encode({"configuration_hash": configuration_hash})]
    for command, header in zip(commands, assign_tokens(commands), strict=True):
        words.append(layouts[command.opcode].encode({**command.fields, **header}))
    words.append(HALT.encode({}))
    return b"".join(words)


def decode_commands(
    words: bytes, layouts: Mapping[Opcode, CommandLayout]
) -> list[tuple[Opcode, dict[str, int]]]:
    """Opcode and fields of every command in memory.

    Raises:
        ValueError: a length that is no multiple of a command, or an opcode that the family does not have.
    """
    if len(words) % COMMAND_BYTES:
        raise ValueError(f"a command list must be a multiple of {COMMAND_BYTES} bytes, not {len(words)}")
    result = []
    for index in range(len(words) // COMMAND_BYTES):
        word = words[index * COMMAND_BYTES : (index + 1) * COMMAND_BYTES]
        try:
            layout = layouts[Opcode(word[0])]
        except (ValueError, KeyError):
            raise ValueError(f"command {index} has the unknown opcode 0x{word[0]:02x}") from None
        result.append((layout.opcode, layout.decode(word)))
    return result
