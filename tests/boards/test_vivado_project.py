"""A project for Vivado, without Vivado: its Verilog is linted, its scripts run with commands that only listen."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from celosia.boards.board import BOARDS, Toolchain
from celosia.boards.build import build
from celosia.boards.build_job import BuildJob
from celosia.boards.vivado_build import project_clocks
from celosia.boards.vivado_project import VivadoProject, vivado_project
from celosia.boards.xilinx_part import XilinxPart
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import write_verilog
from celosia.hdl.xilinx_platform import XilinxPlatform
from tests.boards.inverter import Inverter
from tests.boards.test_build import inverter_job
from tests.verilog_lint import lint

_NO_TCL = (
    "this Python has no tkinter, which its own installer or Debian's python3-tk brings: no wheel holds Tcl"
)
CELLS = Path(__file__).with_name("xilinx_cells.v")
BOARD_WAIVERS = Path(__file__).with_name("board_lint.vlt")
NAMES = [name for name, board in BOARDS.items() if board.toolchain is Toolchain.VIVADO]
every_board = pytest.mark.parametrize("name", NAMES)

XDC_COMMANDS = (
    "set_property create_clock create_generated_clock set_clock_groups set_false_path "
    "get_ports get_pins get_cells get_clocks get_iobanks current_design"
)
SCRIPT_COMMANDS = (
    "cd create_project read_verilog read_xdc synth_design opt_design place_design phys_opt_design route_design "
    "write_checkpoint report_utilization report_timing_summary report_clock_interaction report_io report_drc "
    "report_methodology report_power get_timing_paths get_property set_property current_design write_bitstream "
    "puts exit"
)
PERIODS = {"arty_a7_100t": "10.000", "genesys2": "5.000"}


@cache
def project(name: str) -> VivadoProject:
    board = BOARDS[name]
    return vivado_project(board, project_clocks(inverter_job(board)), address_bits=32)


@dataclass
class Tcl:
    """An interpreter in which `commands` only note how they were called; others that are not Tcl are errors."""

    commands: str
    answers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    exit_code: int | None = None

    def run(self, text: str) -> None:
        tkinter = pytest.importorskip("tkinter", reason=_NO_TCL)
        interpreter = tkinter.Tcl()
        for name in self.commands.split():
            interpreter.createcommand(name, lambda *words, name=name: self._note(name, *words))
        try:
            interpreter.eval(text)
        except tkinter.TclError:
            if self.exit_code is None:
                raise

    def of(self, name: str) -> list[tuple[str, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    def _note(self, *call: Any) -> str:
        words = tuple(str(word) for word in call)
        self.calls.append(words)
        if words[0] == "exit":
            self.exit_code = int(words[1])
            raise InterruptedError
        return self.answers.get(words[0], f"<{' '.join(words)}>")


def files(name: str) -> dict[str, str]:
    return dict(project(name).files)


def ports(name: str) -> set[str]:
    (found,) = re.findall(r"^module board\((.*?)\);", files(name)["board.v"], re.DOTALL | re.MULTILINE)
    return {port.strip() for port in found.split(",")}


@every_board
def test_all_verilog_passes_the_linter(name: str, tmp_path: Path) -> None:
    accelerator = write_verilog(CelosiaTop(Inverter(), 32, 64), "inverter", XilinxPlatform()).text
    texts = {**files(name), "celosia.v": accelerator}
    verilog = [tmp_path / file for file in texts if file.endswith(".v")]
    for path in verilog:
        path.write_text(texts[path.name])
    assert lint(*verilog, CELLS, BOARD_WAIVERS, top="board") == ""


@pytest.mark.slow
def test_a_whole_engine_s_project_passes_it_too(tmp_path: Path) -> None:
    design = engine_design(PRESETS["u55-32"])
    build(BuildJob(BOARDS["arty_a7_100t"], design), tmp_path)
    assert lint(*sorted(tmp_path.glob("*.v")), CELLS, BOARD_WAIVERS, top="board") == ""


@every_board
def test_no_cell_of_another_maker_is_in_it(name: str) -> None:
    text = "".join(files(name).values())
    for cell in ("EHXPLLL", "MULT18X18D", "DP16KD", "TRELLIS", "FD1S3", "ODDRX1F"):
        assert cell not in text


@every_board
def test_the_same_text_comes_every_time_without_a_word_of_this_machine(name: str) -> None:
    board = BOARDS[name]
    again = vivado_project(board, project_clocks(inverter_job(board)), address_bits=32)
    assert again == project(name)
    text = "".join(files(name).values())
    assert str(Path(__file__).resolve().parents[2]) not in text
    assert "site-packages" not in text


@every_board
def test_every_port_has_a_pin_and_a_standard(name: str) -> None:
    tcl = Tcl(XDC_COMMANDS)
    tcl.run(files(name)["pins.xdc"])
    located = {target for key, _, target in tcl.of("set_property") if key == "PACKAGE_PIN"}
    standards = {target for key, _, target in tcl.of("set_property") if key == "IOSTANDARD"}
    assert located == standards == {f"<get_ports {port}>" for port in ports(name)}
    pins = [value for key, value, _ in tcl.of("set_property") if key == "PACKAGE_PIN"]
    assert len(set(pins)) == len(pins)


@every_board
def test_every_clock_and_every_pin_has_its_timing_told(name: str) -> None:
    tcl = Tcl(XDC_COMMANDS)
    tcl.run(files(name)["timing.xdc"])
    ((_, oscillator, _, period, source),) = tcl.of("create_clock")
    assert (oscillator, period) == ("oscillator", PERIODS[name])
    clock_port = re.sub(r"<get_ports (\S+)>", r"\1", source)
    assert clock_port in ports(name)
    ((_, accelerator, _),) = tcl.of("create_generated_clock")
    ((kind, *groups),) = tcl.of("set_clock_groups")
    assert kind == "-asynchronous"
    assert groups == ["-group", f"<get_clocks {oscillator}>", "-group", f"<get_clocks {accelerator}>"]
    free = {word for (words,) in tcl.of("get_ports") for word in words.split()} - {clock_port}
    assert free == {port for port in ports(name) if not port.startswith("clk")}


@every_board
def test_the_script_goes_from_the_files_that_are_there_to_a_bitstream(name: str) -> None:
    part = BOARDS[name].part
    assert isinstance(part, XilinxPart)
    tcl = Tcl(SCRIPT_COMMANDS, {"get_property": "0.125"})
    tcl.run(files(name)["build.tcl"])
    assert tcl.of("create_project") == [("-in_memory", "-part", part.vivado_name)]
    assert {file for (file,) in tcl.of("read_verilog")} == {"celosia.v", "board.v", "memory.v"}
    assert {file for (file,) in tcl.of("read_xdc")} == {"pins.xdc", "timing.xdc"}
    steps = [
        call[0]
        for call in tcl.calls
        if call[0].endswith(("_design", "_bitstream")) and call[0] != "current_design"
    ]
    assert steps == [
        "synth_design",
        "opt_design",
        "place_design",
        "phys_opt_design",
        "route_design",
        "write_bitstream",
    ]
    assert tcl.of("write_bitstream")[0][-1] == "board.bit"


@every_board
def test_a_clock_that_is_missed_ends_the_script_without_a_bitstream(name: str) -> None:
    tcl = Tcl(SCRIPT_COMMANDS, {"get_property": "-0.5"})
    tcl.run(files(name)["build.tcl"])
    assert tcl.exit_code == 1
    assert tcl.of("report_timing_summary")
    assert not tcl.of("write_bitstream")
    assert "timing is missed by 0.5 ns" in tcl.of("puts")[-1][-1]


def test_an_unknown_command_would_be_found() -> None:
    tkinter = pytest.importorskip("tkinter", reason=_NO_TCL)
    with pytest.raises(tkinter.TclError, match='invalid command name "set_falsepath"'):
        Tcl(XDC_COMMANDS).run("set_falsepath -to [get_ports a]")


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, BuildJob]:
    job = inverter_job(BOARDS["arty_a7_100t"])
    (tmp_path / "build.json").write_text("an older build's")
    build(job, tmp_path)
    return tmp_path, job


def test_a_build_writes_a_complete_folder_with_a_manifest(built: tuple[Path, BuildJob]) -> None:
    folder, _ = built
    manifest = json.loads((folder / "build.json").read_text())
    listed = {entry["file"] for entry in manifest["files"]}
    assert listed == {path.name for path in folder.iterdir()} - {"build.json"}
    assert {"celosia.v", "celosia.h", "celosia.json", *files("arty_a7_100t")} == listed
    assert (manifest["asked_clock_mhz"], manifest["bitstream"]) == (60, None)
    assert manifest["configuration_hash"] == "0000000000001234"


def test_the_clock_is_the_board_s_unless_another_is_asked_for() -> None:
    board = BOARDS["genesys2"]
    assert project_clocks(inverter_job(board)).frequencies == (80_000_000,)
    job = inverter_job(board)
    other = BuildJob(board, job.design, clock=150_000_000)
    assert project_clocks(other).frequencies == (150_000_000,)
    with pytest.raises(ValueError, match=r"wanted must be 4\.69\.\.464 MHz, not 800"):
        project_clocks(BuildJob(board, job.design, clock=800_000_000))
