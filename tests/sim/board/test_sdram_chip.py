"""The board simulation's SDRAM chip and the strict model in Python agree on whatever comes to their pins."""

import random
from dataclasses import replace

import pytest

from celosia.hdl.sdram_pins import ALL_BANKS, SdramCommand, mode_register
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry
from tests.sdram_model import PinState, SdramModel, SdramViolation
from tests.sim.board.native_sdram import NativeSdramModel

GEOMETRY = SdramGeometry(row_bits=11, column_bits=8)
TIMING = replace(AS4C16M16SA_7, power_up=100, row_active_limit=3000)
_ROWS = 2
_SEQUENCES = 40
NOP = PinState()


def initialization() -> list[PinState]:
    quiet = replace(NOP, mask=3)
    commands = [PinState(SdramCommand.PRECHARGE, address=ALL_BANKS)]
    commands += [PinState(SdramCommand.REFRESH)] * TIMING.power_up_refreshes
    commands += [PinState(SdramCommand.LOAD_MODE, address=mode_register(3))]
    return [quiet] * 20 + [
        state for command in commands for state in (replace(command, mask=3), *[quiet] * 10)
    ]


def traffic(draw: random.Random) -> list[PinState]:
    """Commands in an order that makes sense, with waits that are mostly long enough; data go with every WRITE."""
    rush = draw.choice((0.0, 0.05, 0.5, 1.0))
    pins: list[PinState] = []
    opened: set[int] = set()
    for _ in range(draw.randrange(20, 200)):
        wait = draw.choice((1, 3, 5, 7, 8, 9, 10, 12)) if draw.random() < rush else 12
        bank = draw.randrange(4)
        if draw.random() < 0.1:
            bank, pins_of = 0, [PinState(SdramCommand.PRECHARGE, address=ALL_BANKS)]
            if draw.random() < 0.7:
                pins_of += [*[NOP] * draw.choice((2, 3, 8, 8, 8)), PinState(SdramCommand.REFRESH)]
                wait = draw.choice((6, 8, 12, 12))
            opened.clear()
        elif bank not in opened:
            pins_of = [PinState(SdramCommand.ACTIVE, bank, draw.randrange(_ROWS))]
            opened.add(bank)
        elif draw.random() < 0.2:
            pins_of = [PinState(SdramCommand.PRECHARGE, bank)]
            opened.discard(bank)
        elif draw.random() < 0.5:
            mask = draw.choice((0, 0, 0, 1, 2, 3))
            pins_of = [PinState(SdramCommand.READ, bank, draw.randrange(32)), *[replace(NOP, mask=mask)] * 5]
        else:
            words = [draw.randrange(1 << 16) for _ in range(4)]
            mask = draw.choice((0, 0, 1, 2))
            head = PinState(SdramCommand.WRITE, bank, draw.randrange(32), mask=mask, data=words[0])
            pins_of = [head, *(PinState(mask=mask, data=word) for word in words[1:])]
        pins += [*pins_of, *[NOP] * (wait - 1)]
    if draw.random() < 0.3:
        pins[draw.randrange(len(pins))] = PinState(
            SdramCommand(draw.randrange(8)),
            draw.randrange(4),
            draw.randrange(1 << 12),
            data=draw.choice((None, 7)),
        )
    return pins


def drive(chip: SdramModel | NativeSdramModel, pins: list[PinState]) -> tuple[list[int | None], str]:
    """What the chip drives, and what it refuses at last."""
    driven: list[int | None] = []
    try:
        for state in pins:
            driven.append(chip.edge(state))
    except SdramViolation as violation:
        return driven, str(violation)
    return driven, ""


def agree(strict: list[int | None], fast: list[int | None], masked: list[int]) -> bool:
    """Equal but for masked bytes, which are noise."""
    for ours, theirs, mask in zip(strict, fast, masked, strict=True):
        kept = sum(0xFF << 8 * byte for byte in range(2) if not mask >> byte & 1)
        if ours is None:
            if theirs is not None:
                return False
        elif kept and (theirs is None or (ours ^ theirs) & kept):
            return False
    return True


@pytest.mark.parametrize("frequency", [142_000_000, 100_000_000, 50_000_000])
def test_both_models_give_the_same_data_and_refuse_the_same_with_the_same_words(frequency: int) -> None:
    draw = random.Random(frequency)
    refused = set()
    reads = 0
    for _ in range(_SEQUENCES):
        strict = SdramModel(GEOMETRY, TIMING, frequency)
        fast = NativeSdramModel(GEOMETRY, TIMING, frequency)
        for bank in range(4):
            for row in range(_ROWS):
                strict.row(bank, row)[:] = fast.row(bank, row)
        pins = [*initialization(), *traffic(draw)]
        expected, found = drive(strict, pins), drive(fast, pins)
        assert found[1] == expected[1]
        masks = [0, *(state.mask for state in pins)][: len(expected[0])]
        assert agree(expected[0], found[0], masks)
        refused.add(expected[1].partition(":")[0])
        reads += sum(word is not None for word in expected[0])
        for bank in range(4):
            for row in range(_ROWS):
                assert (strict.row(bank, row) == fast.row(bank, row)).all()
    assert "" in refused, "legal sequences were tried"
    assert len(refused) >= 6, "many rules were broken"
    assert reads > 300
