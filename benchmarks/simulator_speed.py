"""Measures the simulator: model build time, simulated cycles per second, and the harness's share of them.

    python -m benchmarks.simulator_speed [PRESET] [--compiler zig]     (in the checkout)

The copy engine of the tests is so small that its time per cycle is nearly all harness: divided by the time per
cycle of an accelerator, it bounds the harness's share from above. CPU time, so other programs hardly disturb.
"""

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from celosia.generators.chassis.device import DeviceTimeout
from celosia.generators.families import PRESETS
from celosia.host.generation import cached_verilog
from celosia.sim import SimulatedDevice, SimulatedPorts
from celosia.sim.cache import default_cache_directory
from tests.sim import copy_engine
from tests.sim.copying import Copy, run

CYCLES = 300_000
LONG_COPY = Copy(bursts=60_000, destination=0x200_0000)


def copying_nanoseconds(compiler: str) -> float:
    """CPU time per cycle of the copy engine, with both directions of the memory busy."""
    with SimulatedDevice(copy_engine.copy_engine_verilog(), compiler=compiler) as device:
        began = time.process_time()
        run(device, LONG_COPY, timeout_cycles=1 << 30)
        return (time.process_time() - began) / device.last_run.cycles * 1e9


def idle_nanoseconds(device: SimulatedDevice) -> float:
    """CPU time per cycle of an accelerator that was not started."""
    began = time.process_time()
    with suppress(DeviceTimeout):
        device.wait_for_interrupt(CYCLES)
    return (time.process_time() - began) / CYCLES * 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("preset", nargs="?", default="u55-128", choices=sorted(PRESETS))
    parser.add_argument("--compiler", default="zig")
    arguments = parser.parse_args()

    config = PRESETS[arguments.preset]
    verilog = cached_verilog(config).read_text()
    ports = SimulatedPorts(config.data_bits, config.address_bits, config.weights_port_bits)
    harness = copying_nanoseconds(arguments.compiler)
    with tempfile.TemporaryDirectory() as cache:
        # Zig's own C++ library is compiled by now, once for all models.
        (Path(cache) / "zig").symlink_to(default_cache_directory() / "zig")
        began = time.monotonic()
        with SimulatedDevice(
            verilog, ports, compiler=arguments.compiler, cache_directory=Path(cache)
        ) as device:
            build_seconds = time.monotonic() - began
            engine = idle_nanoseconds(device)
    print(f"{arguments.preset}: {verilog.count(chr(10))} lines of Verilog, {arguments.compiler}")
    print(f"model build      {build_seconds:8.1f} s")
    print(f"engine, idle     {1e6 / engine:8.0f} k cycles/s")
    print(f"copy engine      {1e6 / harness:8.0f} k cycles/s")
    print(f"harness, at most {harness / engine:8.1%} of the engine's time")


if __name__ == "__main__":
    main()
