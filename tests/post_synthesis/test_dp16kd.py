"""The twin of ECP5's block RAM, in every mode, against a model that knows single bits only."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.post_synthesis.block_ram_model import SIDES, BlockRamMode, BlockRamModel, PortInputs
from tests.post_synthesis.stepper import Part, RunEnded, Stepper, refusal
from tests.post_synthesis.twins import BLOCK_RAM, BLOCK_RAM_PORTS, twin_text

EVENTS = 500
MODES = {
    "18": BlockRamMode(),
    "9_and_18": BlockRamMode(widths=(9, 18), write_modes=("WRITETHROUGH", "READBEFOREWRITE")),
    "1_and_4": BlockRamMode(widths=(1, 4), write_modes=("WRITETHROUGH", "NORMAL"), selects=(5, 2)),
    "2_and_9": BlockRamMode(widths=(2, 9), output_registers=(True, False), inverted_clocks=(True, False)),
    "18_and_1": BlockRamMode(
        widths=(18, 1), write_modes=("READBEFOREWRITE", "NORMAL"), asynchronous_reset=True
    ),
    "36": BlockRamMode(widths=(36, 36), inverted_clocks=(False, True)),
    "36_and_9": BlockRamMode(widths=(36, 9), output_registers=(False, True)),
    "36_and_4": BlockRamMode(widths=(36, 4), output_registers=(False, True), asynchronous_reset=True),
}


READ = PortInputs(0, 0, 0, enable=True, output_enable=True, write=False, reset=False)
IDLE = replace(READ, enable=False)
BOTH = (True, True)


def part(instance: str, mode: BlockRamMode, **changes: str | int) -> Part:
    return Part(instance, BLOCK_RAM, BLOCK_RAM_PORTS, mode.parameters | changes, instance)


def pins(side: str, inputs: PortInputs, clock: bool) -> dict[str, int]:
    values = {f"AD{side}{bit}": inputs.address >> bit & 1 for bit in range(14)}
    values |= {f"CS{side}{bit}": inputs.selects >> bit & 1 for bit in range(3)}
    values |= {
        f"CLK{side}": clock,
        f"CE{side}": inputs.enable,
        f"OCE{side}": inputs.output_enable,
        f"WE{side}": inputs.write,
        f"RST{side}": inputs.reset,
    }
    return values


class Bench:
    """Steps of one block RAM: its inputs with both clocks low, then with those high that rise."""

    def __init__(self, instance: str, mode: BlockRamMode) -> None:
        self._instance = instance
        self._mode = mode
        self._model = BlockRamModel(mode)
        self.stimulus: dict[tuple[str, str], list[int]] = {}
        self.expected: list[tuple[int, int]] = []

    def event(self, rises: tuple[bool, bool], inputs: tuple[PortInputs, PortInputs]) -> None:
        for clocks in ((False, False), rises):
            values: dict[str, int] = {}
            for port, side in enumerate(SIDES):
                values |= pins(side, inputs[port], clocks[port] ^ self._mode.inverted_clocks[port])
            data = inputs[0].data | (0 if self._mode.widths[0] == 36 else inputs[1].data << 18)
            values |= {
                f"DI{side}{bit}": data >> bit + 18 * port & 1
                for port, side in enumerate(SIDES)
                for bit in range(18)
            }
            for name, value in values.items():
                self.stimulus.setdefault((self._instance, name), []).append(int(value))
        self._model.settle(inputs)
        self.expected.append(self._model.outputs)
        self._model.step(rises, inputs)
        self.expected.append(self._model.outputs)

    def is_refused(self, rises: tuple[bool, bool], inputs: tuple[PortInputs, PortInputs]) -> bool:
        """Two ports at the same byte, a reset at a write, a write to a port that only reads: the twin ends the run."""
        writes = [self._model.written(port, inputs[port]) if rises[port] else {} for port in range(2)]
        resets = any(writes[port] and inputs[port].reset for port in range(2))
        bytes_written = [{byte for byte, _ in written} for written in writes]
        is_read_port = self._mode.widths[0] == 36 and rises[1] and inputs[1].write
        return resets or is_read_port or bool(bytes_written[0] & bytes_written[1])

    def answers(self, response: dict[tuple[str, str], list[int]]) -> list[tuple[int, int]]:
        sides = [[response[self._instance, f"DO{side}{bit}"] for bit in range(18)] for side in SIDES]
        return [
            (
                sum(bits[step] << place for place, bits in enumerate(sides[0])),
                sum(bits[step] << place for place, bits in enumerate(sides[1])),
            )
            for step in range(len(self.expected))
        ]


def random_inputs(generator: random.Random, mode: BlockRamMode, port: int) -> PortInputs:
    # Few rows, so that the ports meet; low bits of all kinds.
    is_reset = generator.random() < 0.05
    return PortInputs(
        data=generator.getrandbits(mode.widths[0] if port == 0 else 18),
        address=generator.randrange(1 << 6) if generator.random() < 0.9 else generator.getrandbits(14),
        selects=mode.selects[port] if generator.random() < 0.9 else generator.randrange(8),
        enable=generator.random() < 0.8,
        output_enable=generator.random() < 0.7,
        write=not is_reset and generator.random() < 0.5,
        reset=is_reset,
    )


def test_every_mode_does_what_single_bits_would_do() -> None:
    generator = random.Random(4)
    modes = {
        f"ram_{name}": replace(mode, contents=tuple(generator.getrandbits(18) for _ in range(1024)))
        for name, mode in MODES.items()
    }
    benches = {name: Bench(name, mode) for name, mode in modes.items()}
    for name, bench in benches.items():
        bench.event(BOTH, (IDLE, IDLE))  # from here on every clock is known to be low between two edges
        while len(bench.expected) < 2 * EVENTS:
            rises = generator.choice(((True, False), (False, True), (True, True)))
            inputs = (random_inputs(generator, modes[name], 0), random_inputs(generator, modes[name], 1))
            if not bench.is_refused(rises, inputs):
                bench.event(rises, inputs)
    stepper = Stepper(twin_text(), [part(name, mode) for name, mode in modes.items()])
    response = stepper.run(
        {key: values for bench in benches.values() for key, values in bench.stimulus.items()}
    )
    for name, bench in benches.items():
        for step, (answer, expected) in enumerate(zip(bench.answers(response), bench.expected, strict=True)):
            assert answer == expected, f"{name}, step {step}"


def simulate(mode: BlockRamMode, *events: tuple[PortInputs, PortInputs]) -> list[tuple[int, int]]:
    """DOA and DOB after each of the edges."""
    bench = Bench("ram", mode)
    for inputs in events:
        bench.event(BOTH, inputs)
    return bench.answers(Stepper(twin_text(), [part("ram", mode)]).run(bench.stimulus))[1::2]


def test_of_36_bits_the_low_half_leaves_at_port_a() -> None:
    mode = BlockRamMode(widths=(36, 36))
    write = replace(READ, data=0x2_1234 | 0x1_5678 << 18, address=0b101_0000_1111, write=True)
    answers = simulate(mode, (write, IDLE), (IDLE, replace(READ, address=0b101_0000_0000)))
    assert answers[-1] == (0x2_1234, 0x1_5678)


def test_bits_that_are_read_while_they_are_written_are_neither_old_nor_right() -> None:
    mode = BlockRamMode(widths=(9, 18), contents=(0x2_AAAA,) * 1024)
    write = replace(READ, data=0x0FF, address=0b0_1000, write=True)
    (answer,) = simulate(mode, (write, READ))
    assert answer[1] == 0x2_AAAA ^ 0x1FF << 9
    assert simulate(mode, (write, IDLE), (IDLE, READ))[1][1] == 0x0_00AA | 0x0FF << 9 | 0x2_AAAA & 0x100


@pytest.mark.parametrize(
    "inputs",
    [
        (replace(READ, address=3, write=True), replace(READ, address=1, write=True)),
        (replace(READ, address=3, write=True, reset=True), IDLE),
        (IDLE, replace(READ, address=3, write=True, reset=True)),
    ],
    ids=["same byte", "reset and write at A", "reset and write at B"],
)
def test_what_is_not_documented_ends_the_run(inputs: tuple[PortInputs, PortInputs]) -> None:
    with pytest.raises(RunEnded, match="step 1"):
        simulate(BlockRamMode(), inputs)


def test_beside_36_bits_port_b_must_not_write() -> None:
    with pytest.raises(RunEnded, match="step 1"):
        simulate(BlockRamMode(widths=(36, 9)), (IDLE, replace(READ, write=True)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"DATA_WIDTH_A": 8}, "DATA_WIDTH must be 1, 2, 4, 9, 18 or 36"),
        ({"DATA_WIDTH_B": 36}, "only port A may write 36 bits"),
        ({"REGMODE_B": '"INREG"'}, "REGMODE must be NOREG or OUTREG"),
        ({"WRITEMODE_A": '"NONE"'}, "WRITEMODE must be"),
        ({"WRITEMODE_A": '"READBEFOREWRITE"', "DATA_WIDTH_A": 4}, "READBEFOREWRITE is for 9 bits and more"),
        ({"RESETMODE": '"NONE"'}, "RESETMODE"),
        ({"CLKBMUX": '"1"'}, "CLKAMUX, CLKBMUX"),
        ({"CSDECODE_A": '"000"'}, "CSDECODE"),
        ({"GSR": '"ON"'}, "GSR"),
        ({"INIT_DATA": '"DYNAMIC"'}, "INIT_DATA"),
        ({"WEAMUX": '"INV"'}, "WEAMUX"),
    ],
)
def test_unknown_modes_do_not_elaborate(changes: dict[str, str | int], message: str, tmp_path: Path) -> None:
    assert refusal(twin_text(), part("ram", BlockRamMode()), tmp_path) == ""
    assert message in refusal(twin_text(), part("ram", BlockRamMode(), **changes), tmp_path)
