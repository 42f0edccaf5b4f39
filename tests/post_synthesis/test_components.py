"""What Yosys makes of MAC core, unified buffer and requantizer for ECP5 does in every cycle what their RTL does."""

import random
from pathlib import Path

from amaranth.hdl import unsigned

from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.core import Core
from celosia.hdl.brick_buffer import ADDRESS_BITS, BANKS, BRICK_BITS, GATHER_LATENCY, BrickBuffer
from celosia.hdl.requantize import Requantize
from tests.post_synthesis.component_pair import ComponentPair
from tests.post_synthesis.netlist_verilog import driven_resets

CONFIG = PRESETS["u55-32"]
BRICKS = CONFIG.buffer_kib * 1024 // 8
TURN, REST = 60, 12
METADATA_BITS = 8


def test_core(tmp_path: Path) -> None:
    generator = random.Random(1)
    core = ComponentPair(lambda: Core(CONFIG), tmp_path)
    assert core.netlist.cells["MULT18X18D"] == CONFIG.core_outputs * 8
    inputs = []
    for _ in range(30):  # layers: what must be steady, is
        steady = {
            name: value
            for name, value in core.random_inputs(generator).items()
            if name in ("offset", "dilated", "transposed", "packed_channels", "maximum", "use_vector")
        }
        inputs += [core.random_inputs(generator) | steady for _ in range(40)]
    for cycle, (rtl, netlist) in enumerate(core.run(inputs)):
        assert netlist == rtl, f"cycle {cycle}"


def halves(generator: random.Random, cycles: int) -> list[dict[str, int]]:
    """Reads from one half of the buffer while the other is written, in turns: what tokens see to in the engine."""
    half = BRICKS // 2
    inputs = []
    for turn in range(cycles // TURN):
        reads, writes = (turn % 2 * half, (turn + 1) % 2 * half)
        for _ in range(TURN):
            store = reads + generator.randrange(half)
            inputs.append(
                {
                    "gather__enable": generator.random() < 0.7,
                    "gather__address": reads + generator.randrange(min(64, half - BANKS)),
                    "gather__count": generator.randint(1, BANKS),
                    "gather__blank": generator.getrandbits(BANKS) & generator.getrandbits(BANKS),
                    "gather__fill": 0x85,
                    "store_request__valid": generator.random() < 0.7,
                    "store_request__payload": store if generator.random() < 0.1 else reads + store % 64,
                    "store_response__ready": generator.random() < 0.8,
                    "activate_write__enable": generator.random() < 0.8,
                    "activate_write__address": writes + generator.randrange(72),
                    "activate_write__data": generator.getrandbits(BRICK_BITS),
                    "activate_write__halves": generator.randrange(4),
                    "load_write__valid": generator.random() < 0.8,
                    "load_write__payload": writes
                    + generator.randrange(72)
                    + (generator.getrandbits(BRICK_BITS) << ADDRESS_BITS),
                }
            )
        inputs += [{"gather__fill": 0x85, "store_response__ready": 1}] * REST
    return inputs


def wanted(inputs: list[dict[str, int]], cycle: int, bricks: int) -> int:
    """What a gather asked for, of what it got; the rest is undefined."""
    asked = inputs[cycle - GATHER_LATENCY] if cycle >= GATHER_LATENCY else {}
    count = asked.get("gather__count", 0) if asked.get("gather__enable") else 0
    return bricks & (1 << BRICK_BITS * count) - 1


def test_brick_buffer(tmp_path: Path) -> None:
    buffer = ComponentPair(lambda: BrickBuffer(BRICKS), tmp_path)
    assert buffer.netlist.cells["DP16KD"] == BRICKS * BRICK_BITS // (16 << 10)
    assert driven_resets(buffer.netlist.file) == []
    inputs = halves(random.Random(2), 1200)
    answers = buffer.run(inputs)
    for cycle, (rtl, netlist) in enumerate(answers):
        for outputs in (rtl, netlist):
            outputs["gather__bricks"] = wanted(inputs, cycle, outputs["gather__bricks"])
            if not outputs["store_response__valid"]:
                del outputs["store_response__payload"]
        assert netlist == rtl, f"cycle {cycle}"
    assert len({rtl["gather__bricks"] for rtl, _ in answers}) > 100
    assert sum(rtl["store_response__valid"] for rtl, _ in answers) > 100


def accumulators(generator: random.Random) -> dict[str, int]:
    """Numbers of every magnitude, most of them scaled to about 8 bits."""
    bits = generator.randrange(32)
    accumulator, bias = (generator.getrandbits(bits) ^ -generator.getrandbits(1) for _ in range(2))
    shift = 8 - bits + generator.randint(-2, 2) if generator.random() < 0.7 else generator.randint(-31, 31)
    return {
        "accumulators__valid": generator.random() < 0.8,
        "accumulators__payload": accumulator % (1 << 32)
        | bias % (1 << 32) << 32
        | generator.getrandbits(31) << 64
        | shift % 64 << 95
        | generator.getrandbits(METADATA_BITS) << 101,
    }


def test_requantize(tmp_path: Path) -> None:
    generator = random.Random(3)
    requantize = ComponentPair(lambda: Requantize(unsigned(METADATA_BITS)), tmp_path)
    assert requantize.netlist.cells["MULT18X18D"] == 4
    inputs = []
    for _ in range(10):
        layer = requantize.random_inputs(generator)
        inputs += [layer | accumulators(generator) for _ in range(120)]
    answers = requantize.run(inputs)
    for cycle, (rtl, netlist) in enumerate(answers):
        assert netlist == rtl, f"cycle {cycle}"
    assert len({rtl["results__payload"] % 256 for rtl, _ in answers}) > 50
