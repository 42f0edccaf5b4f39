"""The part of every family's command interpreter that is the chassis': order, tokens, and what moves data.

It executes commands one after the other, checks on the way that the list is legal (tokens there when they are awaited,
addresses inside their memories), and knows nothing of cycles.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from .command import CommandLayout, Opcode, Region, Verb
from .configuration import EngineConfig
from .placement import POINTER_MASK
from .schedule import decode_commands

Config = TypeVar("Config", bound=EngineConfig)
Fields: TypeAlias = Mapping[str, int]


class IllegalCommand(ValueError):
    """A command list that the engine must not be given; the message names the command's index."""


class ChassisInterpreter(ABC, Generic[Config]):
    """State of the machine between commands; a family adds WEIGHTS, COMPUTE and ACTIVATE.

    Args:
        config: of the engine.
        layouts: the family's commands.
        regions: bytes of each memory region, uint8; SCRATCH and OUTPUT are written in place.

    Attributes:
        buffer: the unified buffer, int8[brick, byte].
        snapshots: indices of the commands that took a snapshot, in order.
        tokens: that are there, by (giver, taker).
    """

    def __init__(
        self,
        config: Config,
        layouts: Mapping[Opcode, CommandLayout],
        regions: Mapping[Region, npt.NDArray[np.uint8]],
    ) -> None:
        self.config = config
        self.regions = regions
        self.buffer = np.zeros((config.buffer_bricks, config.brick_bytes), np.int8)
        self.snapshots: list[int] = []
        self.tokens = {(giver, taker): 0 for giver in Verb for taker in Verb}
        self._layouts = layouts
        self._index = 0

    def run(self, words: bytes) -> None:
        """Execute a command list from BEGIN to HALT.

        Raises:
            IllegalCommand: the list is not legal.
        """
        try:
            commands = decode_commands(words, self._layouts)
        except ValueError as error:
            raise IllegalCommand(str(error)) from error
        if not commands or commands[0][0] is not Opcode.BEGIN or commands[-1][0] is not Opcode.HALT:
            raise IllegalCommand("a command list starts with BEGIN and ends with HALT")
        if commands[0][1]["configuration_hash"] != self.config.hash:
            raise IllegalCommand("command 0: compiled for another configuration")
        for self._index, (opcode, fields) in enumerate(commands[1:-1], start=1):
            if opcode in (Opcode.BEGIN, Opcode.HALT):
                raise self._illegal(f"{opcode.name} in the middle of the list")
            self._take_tokens(Verb[opcode.name], fields)
            if self._execute(opcode, fields):
                self._give_tokens(Verb[opcode.name], fields)
            self._proceed()
        self._finish()

    def _execute(self, opcode: Opcode, fields: Fields) -> bool:
        """Whether the command is complete; what is not gives its tokens later."""
        match opcode:
            case Opcode.LOAD:
                self._load(fields)
            case Opcode.STORE:
                self._store(fields)
            case Opcode.WEIGHTS:
                self._load_weights(fields)
            case Opcode.COMPUTE:
                return self._compute(fields)
            case _:
                return self._activate(fields)
        return True

    @abstractmethod
    def _load_weights(self, fields: Fields) -> None:
        """WEIGHTS."""

    @abstractmethod
    def _compute(self, fields: Fields) -> bool:
        """COMPUTE; False if it waits for a later WEIGHTS, so that `_proceed` executes it and gives its tokens."""

    @abstractmethod
    def _activate(self, fields: Fields) -> bool:
        """ACTIVATE; False if it waits for a later COMPUTE, so that `_proceed` executes it and gives its tokens."""

    def _proceed(self) -> None:
        """Execute what waited for the last command."""

    @abstractmethod
    def _finish(self) -> None:
        """HALT: refuse a list that leaves something undone."""

    def _illegal(self, reason: str) -> IllegalCommand:
        return IllegalCommand(f"command {self._index}: {reason}")

    def _take_tokens(self, taker: Verb, fields: Fields) -> None:
        for giver in Verb:
            self.tokens[giver, taker] -= fields[f"wait_{giver.name.lower()}"]
            if self.tokens[giver, taker] < 0:
                raise self._illegal(
                    f"{taker.name} waits for a token of {giver.name} that no earlier command gives"
                )

    def _give_tokens(self, giver: Verb, fields: Fields) -> None:
        for taker in Verb:
            self.tokens[giver, taker] += fields["signal"] >> taker & 1

    def _row_pointers(self, fields: Fields, prefix: str, steps: Sequence[int]) -> list[int]:
        """The first pointer and those after advancing by each of `steps` rows in turn."""
        pointer = fields[f"{prefix}row"]
        pointers = [pointer]
        for rows in steps:
            pointer += rows * fields[f"{prefix}row_pitch"]
            if pointer >= fields[f"{prefix}ring_end"]:
                pointer -= fields[f"{prefix}ring_size"]
            pointer &= POINTER_MASK
            pointers.append(pointer)
        return pointers

    def _memory(self, fields: Fields, size: int) -> npt.NDArray[np.uint8]:
        region = self.regions[Region(fields["region"])]
        if fields["offset"] + size > len(region):
            raise self._illegal(f"bytes {fields['offset']}..{fields['offset'] + size} of {len(region)}")
        return region[fields["offset"] : fields["offset"] + size]

    def _transfer_bricks(self, fields: Fields) -> npt.NDArray[np.int64]:
        """Brick addresses [row, x, channel brick] of LOAD and STORE."""
        bricks = -(-fields["channels"] // self.config.brick_bytes)
        rows = np.array(self._row_pointers(fields, "", [1] * (fields["rows"] - 1)))
        addresses = (
            rows[:, None, None]
            + np.arange(fields["width"])[None, :, None]
            + np.arange(bricks)[None, None, :] * fields["channel_pitch"]
        ) & POINTER_MASK
        if addresses.max() >= self.config.buffer_bricks:
            raise self._illegal(f"brick {addresses.max()} of {self.config.buffer_bricks}")
        return addresses

    def _load(self, fields: Fields) -> None:
        shape = fields["rows"], fields["width"], fields["channels"]
        addresses = self._transfer_bricks(fields)
        padded = np.zeros((*shape[:2], addresses.shape[2] * self.config.brick_bytes), np.int8)
        padded[..., : shape[2]] = self._memory(fields, int(np.prod(shape))).view(np.int8).reshape(shape)
        self.buffer[addresses] = padded.reshape(*addresses.shape, self.config.brick_bytes)

    def _store(self, fields: Fields) -> None:
        shape = fields["rows"], fields["width"], fields["channels"]
        if fields["region"] == Region.PROGRAM:
            raise self._illegal("STORE into region PROGRAM")
        bricks = self.buffer[self._transfer_bricks(fields)]
        packed = bricks.reshape(*shape[:2], -1)[..., : shape[2]]
        self._memory(fields, packed.size)[:] = packed.reshape(-1).view(np.uint8)
