"""Coded weights that are not what their command says end the run by name."""

import pytest

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Region
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import WEIGHTS
from tests.fault_bench import FaultBench, fault_bench


@pytest.fixture(scope="module")
def bench() -> FaultBench:
    return fault_bench(PRESETS["u55-128"])


def test_weights_that_are_not_what_their_command_says(bench):
    (index, *_) = bench.command_indices(Opcode.WEIGHTS)
    bench.set_up()
    place = bench.address(Region.PROGRAM) + bench.section.queue_offset + index * COMMAND_BYTES
    fields = WEIGHTS.decode(bench.device.read_memory(place, COMMAND_BYTES).tobytes())
    coding = {"words": 8000, "vectors": 8000, "live_lanes": 8, "remainder_bits": 2, "unary_planes": 3}
    for changes in (coding, {**coding, "live_lanes": 7}):
        bench.set_up()
        bench.device.write_memory(place, WEIGHTS.encode({**fields, **changes}))
        assert bench.run() is ErrorCode.MALFORMED_WEIGHTS
        assert bench.status() == {"error", "interrupt"}
        assert bench.read(registers.ERROR_INDEX) == index
        assert bench.recovers()
