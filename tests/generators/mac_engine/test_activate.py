"""`ActivateUnit` writes what the loop nest of docs/architecture.md says, in the cycles that `ActivateTiming` says."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.accumulator_port import ACCUMULATOR_READ_LATENCY
from celosia.generators.chassis.tiles.activate import ActivateUnit
from celosia.generators.chassis.tiles.activate_timing import ActivateTiming
from celosia.generators.chassis.tiles.softmax_model import softmax
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import BIAS_BEATS, PARAMETER_BEATS, TILE_PIXELS, Destination
from celosia.hdl.arithmetic_model import requantize, wrap_int32
from tests.gateware import convert

CONFIGS = {
    "32 MACs, 4 lanes": MacEngineConfig(macs=32, lanes=4, parameter_beats=64),
    "64 MACs, 4 lanes": MacEngineConfig(macs=64, lanes=4, parameter_beats=100),
    "64 MACs, 8 lanes": MacEngineConfig(macs=64, lanes=8, parameter_beats=65),
    "256 MACs, 4 lanes": MacEngineConfig(macs=256, lanes=4, parameter_beats=64),
    "256 MACs, 8 lanes": MacEngineConfig(macs=256, lanes=8, parameter_beats=64),
    "1024 MACs, 8 lanes": MacEngineConfig(macs=1024, lanes=8, parameter_beats=64),
}
"""Every number of outputs a core and of lanes; rings that 7 blocks of parameters wrap around."""

FIRST_READ = 12
"""Cycles from the presentation of a command to its first read."""

EXPONENTIALS = np.linspace(2**31 - 1, 0, 256).astype(np.int32)
"""What a value weighs in SOFTMAX, by how far it is below the maximum."""

Write = tuple[int, int, int]
"""Brick address, mask of halves, bytes as an integer (of a half brick: in both halves)."""


@dataclass
class Tile:
    """Accumulators of every core, [core, address, output], and the cycles that COMPUTE needs for them."""

    values: np.ndarray
    compute_cycles: int


@dataclass
class Case:
    """One ACTIVATE with everything around it."""

    config: MacEngineConfig
    fields: dict[str, int]
    ring: np.ndarray
    table: np.ndarray
    tiles: list[Tile]


@dataclass
class Observed:
    """What the unit did, in cycles from the start of the simulation."""

    writes: list[Write] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    snapshots: list[int] = field(default_factory=list)
    filled: list[int] = field(default_factory=list)
    drained: list[int] = field(default_factory=list)
    freeing: list[int] = field(default_factory=list)


def tile_extents(fields: dict[str, int]) -> list[tuple[range, range, range]]:
    """(blocks, rows, pixels) of every tile, in order."""
    pixels = fields["tile_groups"] << fields["pixel_cores_log2"]
    return [
        (
            range(block, min(block + (1 << fields["block_cores_log2"]), fields["output_blocks"])),
            range(y, min(y + fields["tile_rows"], fields["height"])),
            range(x, min(x + pixels, fields["width"])),
        )
        for block in range(0, fields["output_blocks"], 1 << fields["block_cores_log2"])
        for y in range(0, fields["height"], fields["tile_rows"])
        for x in range(0, fields["width"], pixels)
    ]


def random_case(config: MacEngineConfig, generator: np.random.Generator, **fixed: int) -> Case:
    """A legal command with random loops, quantisation and addresses; `fixed` fields as given."""
    core_bits = config.cores.bit_length() - 1
    pixel_bits = int(generator.integers(0, min(core_bits, 3) + 1))
    tile_groups = int(generator.integers(1, 7))
    fields = {
        "pixel_cores_log2": pixel_bits,
        "block_cores_log2": int(generator.integers(0, core_bits - pixel_bits + 1)),
        "height": int(generator.integers(1, 6)),
        "width": int(generator.integers(1, 14)),
        "tile_rows": int(generator.integers(1, TILE_PIXELS // tile_groups + 1)),
        "tile_groups": tile_groups,
        "output_blocks": int(generator.integers(1, 8)),
        "parameter_address": int(generator.integers(0, config.parameter_beats)),
        "parameter_uniform": int(generator.integers(0, 4) == 0),
        "uniform_scale": int(generator.integers(0, 3) == 0),
        "zero_point": int(generator.integers(-128, 128)),
        "minimum": int(generator.integers(-128, -20)),
        "maximum": int(generator.integers(20, 128)),
        "use_table": int(generator.integers(0, 2)),
        "softmax_lanes": 0,
        "ofm_channel_pitch": int(generator.integers(0, 40)),
        **fixed,
    }
    pitch = int(generator.integers(1, 400))
    rows_in_ring = int(generator.integers(1, 5))
    start = int(generator.integers(0, 20000))
    ring = {"ofm_ring_end": start + pitch * rows_in_ring, "ofm_ring_size": pitch * rows_in_ring}
    if generator.integers(0, 3) == 0:
        ring = {"ofm_ring_end": 0x1FFFF, "ofm_ring_size": 0}
    fields |= {
        "ofm_row": start + pitch * int(generator.integers(0, rows_in_ring)),
        "ofm_row_pitch": pitch,
        **ring,
    }
    fields |= fixed
    beats = generator.integers(0, 1 << 63, config.parameter_beats, dtype=np.uint64)
    shapes = (config.cores, TILE_PIXELS, config.core_outputs)
    tiles = [
        Tile(generator.integers(-(1 << 16), 1 << 16, shapes), int(generator.choice([0, 1, 5, 40])))
        for _ in tile_extents(fields)
    ]
    case = Case(config, fields, beats, generator.integers(-128, 128, 256), tiles)
    _write_parameters(case, generator)
    return case


def _parameter_blocks(case: Case) -> int:
    return -(-case.fields["output_blocks"] * case.config.core_outputs // 8)


def _parameter_places(case: Case, block: int) -> np.ndarray:
    """Where in the ring the beats of a parameter block are."""
    beats = np.arange(PARAMETER_BEATS)
    places = PARAMETER_BEATS * block + beats
    if case.fields["uniform_scale"] and block:
        places = np.where(beats < BIAS_BEATS, PARAMETER_BEATS + BIAS_BEATS * (block - 1) + beats, beats)
    return (case.fields["parameter_address"] + places) % case.config.parameter_beats


def _write_parameters(case: Case, generator: np.random.Generator) -> None:
    """Parameters that spread the results over int8."""
    for block in range(_parameter_blocks(case)):
        biases = generator.integers(-(1 << 16), 1 << 16, 8).astype("<i4")
        multipliers = generator.integers(1 << 30, 1 << 31, 8).astype("<u4")
        shifts = generator.integers(-12, -5, 8).astype("i1")
        shifts[generator.integers(0, 8)] = 3
        beats = np.frombuffer(biases.tobytes() + multipliers.tobytes() + shifts.tobytes(), dtype="<u8")
        case.ring[_parameter_places(case, block)] = beats


def _parameters(case: Case, block: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bias, multiplier and shift of the outputs of an output block, read back from the ring."""
    outputs = case.config.core_outputs
    first_channel = block * outputs
    parameter_block = 0 if case.fields["parameter_uniform"] else first_channel // 8
    beats = case.ring[_parameter_places(case, parameter_block)].tobytes()
    channels = slice(first_channel % 8, first_channel % 8 + outputs)
    return (
        np.frombuffer(beats[:32], "<i4")[channels].astype(np.int64),
        np.frombuffer(beats[32:64], "<i4")[channels].astype(np.int64),
        np.frombuffer(beats[64:], "i1")[channels].astype(np.int64),
    )


def expected_writes(case: Case) -> list[Write]:
    """The loop nest, as the architecture writes it down."""
    fields, config = case.fields, case.config
    if fields["softmax_lanes"]:
        return _softmax_writes(case)
    pixel_cores = 1 << fields["pixel_cores_log2"]
    rows = [fields["ofm_row"]]
    for _ in range(fields["height"] - 1):
        following = rows[-1] + fields["ofm_row_pitch"]
        rows.append(
            (following - (fields["ofm_ring_size"] if following >= fields["ofm_ring_end"] else 0)) % 65536
        )
    writes = []
    for tile, (blocks, tile_rows, pixels) in zip(case.tiles, tile_extents(fields), strict=True):
        groups = -(-len(pixels) // pixel_cores)
        for block in blocks:
            bias, multiplier, shift = _parameters(case, block)
            for y in tile_rows:
                for x in pixels:
                    core = (block - blocks[0]) * pixel_cores + (x - pixels[0]) % pixel_cores
                    address = (y - tile_rows[0]) * groups + (x - pixels[0]) // pixel_cores
                    results = requantize(
                        wrap_int32(tile.values[core, address] + bias),
                        multiplier,
                        shift,
                        fields["zero_point"],
                        fields["minimum"],
                        fields["maximum"],
                    )
                    if fields["use_table"]:
                        results = case.table[results + 128]
                    brick, channel = divmod(block * config.core_outputs, 8)
                    place = (rows[y] + brick * fields["ofm_channel_pitch"] + x) % 65536
                    for first in range(0, config.core_outputs, config.lanes):
                        content = results[first : first + config.lanes].astype("i1").tobytes()
                        halves = 0b11 if config.lanes == 8 else 1 << (channel + first) // 4
                        writes.append(
                            (place, halves, int.from_bytes(content * (8 // config.lanes), "little"))
                        )
    return writes


def _softmax_writes(case: Case) -> list[Write]:
    """Whole bricks of the SOFTMAX of what would be written without."""
    plain = expected_writes(replace(case, fields=case.fields | {"softmax_lanes": 0}))
    lanes = case.config.lanes
    values = b"".join(content.to_bytes(8, "little")[:lanes] for _, _, content in plain)
    results = softmax(np.frombuffer(values, np.int8), EXPONENTIALS).reshape(-1, 8)
    places = [place for place, _, _ in plain[:: 8 // lanes]]
    return [
        (place, 0b11, int.from_bytes(brick.tobytes(), "little"))
        for place, brick in zip(places, results, strict=True)
    ]


class Accumulators:
    """COMPUTE's two halves: a tile begins once the one before is complete and the one two before is drained."""

    def __init__(self, tiles: list[Tile], observed: Observed) -> None:
        self._tiles = tiles
        self._observed = observed
        self._requests = [np.zeros(1, int)] * (ACCUMULATOR_READ_LATENCY - 1)
        self._complete(0)
        self._complete(0)

    def _complete(self, free: int) -> None:
        filled = self._observed.filled
        if len(filled) < len(self._tiles):
            filled.append(max(free, filled[-1] if filled else 0) + self._tiles[len(filled)].compute_cycles)

    def filled(self, cycle: int) -> bool:
        oldest = len(self._observed.drained)
        return oldest < len(self._tiles) and cycle >= self._observed.filled[oldest]

    def step(self, cycle: int, drained: int, core: int, address: int) -> np.ndarray:
        """The values that the next cycle shows, given the requests of this one."""
        oldest = len(self._observed.drained)
        asked = self._tiles[oldest].values[core, address] if self.filled(cycle) else np.zeros(1, int)
        if drained:
            assert self.filled(cycle), f"cycle {cycle}: drained what is not filled"
            self._observed.drained.append(cycle)
            self._complete(cycle + 1)
        shown, *self._requests = [*self._requests, asked]
        return shown


def simulate(cases: list[Case], pause: int = 2) -> Observed:
    """Runs the commands one after the other, `pause` cycles between; all cases share the first one's config."""
    unit = ActivateUnit(cases[0].config)
    observed = Observed()
    accumulators = Accumulators([tile for case in cases for tile in case.tiles], observed)
    port = unit.accumulators
    sampled = [port.freeing, port.drained, port.core, port.address, unit.command.ready, unit.snapshot]
    sampled += [unit.results.enable, unit.results.address, unit.results.halves, unit.results.data]
    cycle = 0

    async def step(ctx) -> bool:
        """One cycle; whether it took the command."""
        nonlocal cycle
        ctx.set(port.filled, accumulators.filled(cycle))
        _, _, freeing, drained, core, address, ready, snapshot, *write = await ctx.tick().sample(*sampled)
        for output, value in enumerate(accumulators.step(cycle, drained, core, address).tolist()):
            ctx.set(port.values[output], value)
        if freeing:
            observed.freeing.append(cycle)
        enable, place, halves, content = write
        if enable:
            observed.writes.append((place, halves, content))
        if snapshot:
            observed.snapshots.append(cycle)
        cycle += 1
        return bool(ready)

    async def write_memories(ctx, case: Case) -> None:
        for destination, beats in (
            (Destination.PARAMETER_STORE, case.ring),
            (Destination.ACTIVATION_TABLE, case.table.astype("i1").view("<u8")),
            (Destination.EXPONENTIAL_TABLE, EXPONENTIALS.view("<u8")),
        ):
            for address, beat in enumerate(beats.tolist()):
                ctx.set(unit.weights.payload, {"destination": destination, "address": address, "data": beat})
                ctx.set(unit.weights.valid, 1)
                await step(ctx)
        ctx.set(unit.weights.valid, 0)

    async def bench(ctx) -> None:
        held: Case | None = None
        for case in cases:
            if held is None or held.ring is not case.ring:
                await write_memories(ctx, case)
            held = case
            for _ in range(pause):
                await step(ctx)
            ctx.set(unit.command.payload, case.fields)
            ctx.set(unit.command.valid, 1)
            observed.started.append(cycle)
            while not await step(ctx):
                assert cycle < observed.started[-1] + 20_000, f"command {len(observed.started) - 1} hangs"
            observed.completed.append(cycle - 1)
            ctx.set(unit.command.valid, 0)
        for _ in range(30):  # nothing comes after the last command
            await step(ctx)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return observed


def check(cases: list[Case], pause: int = 2) -> Observed:
    """Same writes in the same order, and the predicted cycles of every drained tile and completed command."""
    observed = simulate(cases, pause)
    assert observed.writes == [write for case in cases for write in expected_writes(case)]
    filled, drained, freeing = iter(observed.filled), iter(observed.drained), iter(observed.freeing)
    for case, started, completed in zip(cases, observed.started, observed.completed, strict=True):
        timing = ActivateTiming(case.config, case.fields, started)
        for _ in case.tiles:
            assert timing.drain(next(filled)) == next(drained)
            assert timing.freeing == next(freeing)
        assert timing.completed == completed
    snapshots = zip(cases, observed.completed, strict=True)
    assert observed.snapshots == [completed for case, completed in snapshots if case.fields.get("snapshot")]
    return observed


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_random_commands(config: MacEngineConfig, seed: int) -> None:
    generator = np.random.default_rng(seed)
    check([random_case(config, generator, snapshot=index % 2) for index in range(6)])


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_commands_follow_each_other_without_a_pause(config: MacEngineConfig) -> None:
    """Also when the first one is a single result, and when it leaves a block half way through a brick."""
    generator = np.random.default_rng(2)
    case = random_case(config, generator, output_blocks=3)
    fields = case.fields | {"height": 1, "width": 1, "output_blocks": 1}
    single = replace(case, fields=fields, tiles=case.tiles[:1])
    check([single, case, single, case], pause=0)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_one_read_a_cycle_within_and_between_tiles(config: MacEngineConfig) -> None:
    """Filled tiles are drained without a gap, though 5 pixels are no multiple of the 4 of a row's groups."""
    loops = {"height": 5, "width": 5, "tile_rows": 2, "tile_groups": 2, "output_blocks": 3}
    split = {"pixel_cores_log2": min(1, config.cores.bit_length() - 1), "block_cores_log2": 0}
    case = random_case(config, np.random.default_rng(3), **loops, **split)
    for tile in case.tiles:
        tile.compute_cycles = 0
    observed = check([case])
    reads = loops["height"] * loops["width"] * loops["output_blocks"] * config.core_outputs // config.lanes
    assert observed.drained[-1] - observed.started[0] == FIRST_READ + reads - 1


@pytest.mark.parametrize("uniform", [0, 1], ids=["parameters of their own", "uniform parameters"])
def test_tiles_of_a_single_read_wait_for_the_parameters_of_each_block(uniform: int) -> None:
    config = CONFIGS["64 MACs, 8 lanes"]
    loops = {"height": 1, "width": 1, "output_blocks": 6, "pixel_cores_log2": 0, "block_cores_log2": 0}
    case = random_case(config, np.random.default_rng(4), parameter_uniform=uniform, uniform_scale=0, **loops)
    for tile in case.tiles:
        tile.compute_cycles = 0
    observed = check([case])
    interval = 1 if uniform else PARAMETER_BEATS
    # Two groups are fetched one behind the other; from the third on, one follows each release.
    assert observed.drained[1] - observed.drained[0] == interval


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_softmax_among_other_commands(config: MacEngineConfig) -> None:
    """One, three and two bricks; the commands around them find the first requantizer as it was."""
    generator = np.random.default_rng(7)
    pixel = {"height": 1, "width": 1, "pixel_cores_log2": 0, "block_cores_log2": 0, "zero_point": 0}
    other = random_case(config, generator, snapshot=1, output_blocks=2)
    one, three, two = (
        random_case(
            config, generator, softmax_lanes=8, output_blocks=bricks * 8 // config.core_outputs, **pixel
        )
        for bricks in (1, 3, 2)
    )
    check([one, other, three, two, other], pause=0)


def test_rows_wrap_where_their_ring_ends() -> None:
    config = CONFIGS["64 MACs, 4 lanes"]
    ring = {"ofm_row": 100, "ofm_row_pitch": 40, "ofm_ring_end": 180, "ofm_ring_size": 120}
    loops = {"height": 7, "width": 1, "tile_rows": 2, "tile_groups": 4, "output_blocks": 2}
    observed = check([random_case(config, np.random.default_rng(5), ofm_channel_pitch=7, **loops, **ring)])
    rows = [100, 140, 60, 100, 140, 60, 100]
    halves = [address for row in rows for address in (row, row)]
    assert [address for address, _, _ in observed.writes] == halves + [address + 7 for address in halves]


def test_timing_refuses_more_tiles_than_the_command_has() -> None:
    case = random_case(CONFIGS["32 MACs, 4 lanes"], np.random.default_rng(6))
    timing = ActivateTiming(case.config, case.fields, start=0)
    for _ in case.tiles:
        timing.drain(0)
    with pytest.raises(ValueError, match="once for each tile"):
        timing.drain(0)


@pytest.mark.parametrize("preset", ["u55-32", "u55-256"])
def test_converts_with_four_multiplications_a_lane(preset: str) -> None:
    config = PRESETS[preset]
    assert convert(ActivateUnit(config)).count(" * ") == 4 * config.lanes
