from pathlib import Path

import pytest

from celosia.sim import SimulatedPorts
from celosia.sim.cache import default_cache_directory
from celosia.sim.model import build_model
from tests.sim.copy_engine import copy_engine_verilog


@pytest.fixture
def empty_cache(tmp_path) -> Path:
    """A cache without models; the C++ library that zig compiles at first is the user's own, to save a minute."""
    build_model(copy_engine_verilog(), SimulatedPorts())
    for shared in ("zig", "runtimes"):
        (tmp_path / shared).symlink_to(default_cache_directory() / shared)
    return tmp_path
