"""Gateware and the model of the SDRAM chip, joined at the pins."""

import random
from collections import deque
from typing import Any

from celosia.hdl.sdram_pins import SdramCommand
from tests.sdram_model import PinState, SdramModel


class SdramChip:
    """An endless process that puts `model` at `pins`, with registers on the way out and on the way in.

    Where the chip drives nothing the controller sees noise.

    Attributes:
        log: (cycle on the controller's pins, command, bank) of every command but NOP.
    """

    def __init__(self, model: SdramModel, *, registers_out: int = 0, registers_in: int = 0) -> None:
        self.model = model
        self.log: list[tuple[int, SdramCommand, int]] = []
        self._noise = random.Random(1)
        self._out: deque[PinState] = deque([PinState(mask=3)] * registers_out)
        self._in: deque[int] = deque([0] * registers_in)

    async def attach(self, ctx: Any, pins: Any) -> None:
        """Endless process."""
        cycle = 0
        while True:
            sampled = await ctx.tick().sample(
                pins.ras,
                pins.cas,
                pins.we,
                pins.ba,
                pins.a,
                pins.dqm,
                pins.dq_oe,
                pins.dq_o,
                pins.clk_en,
                pins.cs,
            )
            ras, cas, we, bank, address, mask, driven, data, enable, select = sampled[2:]
            command = SdramCommand(ras << 2 | cas << 1 | we)
            if command is not SdramCommand.NOP:
                self.log.append((cycle, command, bank))
            state = PinState(
                command, bank, address, mask, data if driven else None, bool(enable), bool(select)
            )
            self._out.append(state)
            word = self.model.edge(self._out.popleft())
            self._in.append(self._noise.randrange(1 << 16) if word is None else word)
            ctx.set(pins.dq_i, self._in.popleft())
            cycle += 1

    def cycles_of(self, command: SdramCommand) -> list[int]:
        """When `command` was on the pins."""
        return [cycle for cycle, seen, _ in self.log if seen is command]
