"""SdramMaintenance: initialises once, then asks for the chip at a steady pace and catches up what came late."""

from itertools import pairwise
from typing import Any

import pytest

from celosia.hdl.sdram_maintenance import SdramMaintenance
from celosia.hdl.sdram_pins import ALL_BANKS, SdramCommand, mode_register
from celosia.hdl.sdram_timing import SdramCycles, SdramGeometry
from tests.gateware import convert, simulate

CYCLES = SdramCycles(
    cas_latency=3,
    row_active=6,
    row_to_column=3,
    precharge=3,
    row_to_row=2,
    write_recovery=2,
    refresh=9,
    load_mode=2,
    power_up=20,
    power_up_refreshes=2,
)
FIRST = 20
"""Cycle of the first command: nothing before the power-up is over."""
INITIALIZED = FIRST + 3 + 9 + 9
"""Cycle of LOAD_MODE."""


class Record:
    """What happens with `interval`, granted in every cycle that is not in `refused`."""

    def __init__(self, interval: int, cycles: int, refused: range = range(0)) -> None:
        self.commands: list[tuple[int, SdramCommand, int]] = []
        self.wanted: list[int] = []
        maintenance = SdramMaintenance(SdramGeometry(), CYCLES)

        async def bench(ctx: Any) -> None:
            ctx.set(maintenance.refresh_interval, interval)
            for cycle in range(cycles):
                ctx.set(maintenance.granted, ctx.get(maintenance.wanted) and cycle not in refused)
                command = SdramCommand(ctx.get(maintenance.command.strobes))
                if command is not SdramCommand.NOP:
                    self.commands.append((cycle, command, ctx.get(maintenance.command.address)))
                self.wanted.append(ctx.get(maintenance.wanted))
                assert ctx.get(maintenance.closed) == (command is SdramCommand.PRECHARGE)
                assert ctx.get(maintenance.initialized) == (cycle > INITIALIZED)
                await ctx.tick()

        simulate(maintenance, testbenches=[bench])

    def refreshes(self) -> list[int]:
        """Cycles of REFRESH after the initialisation."""
        return [
            cycle
            for cycle, command, _ in self.commands
            if command is SdramCommand.REFRESH and cycle > INITIALIZED
        ]


def test_initialises_in_the_order_of_the_datasheet() -> None:
    record = Record(100, 50)
    assert [(cycle, command) for cycle, command, _ in record.commands] == [
        (FIRST, SdramCommand.PRECHARGE),
        (FIRST + 3, SdramCommand.REFRESH),
        (FIRST + 3 + 9, SdramCommand.REFRESH),
        (INITIALIZED, SdramCommand.LOAD_MODE),
    ]
    assert record.commands[0][2] == ALL_BANKS
    assert record.commands[-1][2] == mode_register(3)


@pytest.mark.parametrize("interval", [30, 31, 64])
def test_refreshes_at_exactly_the_interval(interval: int) -> None:
    refreshes = Record(interval, 400).refreshes()
    assert {after - before for before, after in pairwise(refreshes)} == {interval}
    assert refreshes[0] - INITIALIZED <= interval + CYCLES.precharge + 1


def test_wants_the_chip_for_precharge_and_refresh() -> None:
    record = Record(64, 200)
    first = record.refreshes()[0] - CYCLES.precharge
    assert record.wanted[first - 1 : first + 14] == [0] + [1] * (CYCLES.precharge + CYCLES.refresh + 1) + [0]


def test_catches_up_with_what_it_could_not_do_in_time() -> None:
    undisturbed = Record(40, 600).refreshes()
    late = Record(40, 600, refused=range(100, 250)).refreshes()
    assert not [cycle for cycle in late if 110 < cycle < 250]
    assert [after - before for before, after in pairwise(late)].count(CYCLES.refresh) == 3
    assert late[-3:] == undisturbed[-3:]
    assert len(late) == len(undisturbed)


def test_converts() -> None:
    assert "module" in convert(SdramMaintenance(SdramGeometry(), CYCLES))
