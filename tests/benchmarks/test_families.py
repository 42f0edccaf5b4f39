"""The comparison of the families finds engines of equal size and tells each network on each of them."""

from dataclasses import replace

from benchmarks.families import PAGE, SCORED, Cells, Point, presets_of, table, written
from celosia.generators.families import FAMILIES, PRESETS, family_of
from tests.generators.abacus import ABACUS


def test_presets_have_the_macs_asked_for_one_of_each_family() -> None:
    for macs in (64, 256):
        presets = presets_of(macs)
        assert all(PRESETS[preset].peak_macs == macs for preset in presets)
        names = [family_of(PRESETS[preset]).name for preset in presets]
        assert len(set(names)) == len(names) >= 1


def test_a_family_without_such_a_preset_is_left_out() -> None:
    assert presets_of(64, (*FAMILIES, ABACUS)) == presets_of(64)
    assert presets_of(8, (*FAMILIES, ABACUS)) == ["a-1"]
    same = replace(ABACUS, presets={**ABACUS.presets, "a-2": ABACUS.presets["a-1"]})
    assert presets_of(8, (same,)) == ["a-1"]


def test_engines_of_the_same_size_are_neighbours() -> None:
    points = [
        Point(network, preset, 1000, 0.25, 4096, ("SOFTMAX #3",))
        for preset in ("u55-256", "u55-64")
        for network in ("mlperf_b", "mlperf_a")
    ]
    cells = {"u55-64": Cells(30000, 88, 107), "u55-256": Cells(50000, 296, 180)}
    lines = table(points, cells).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert [line.split(" | ")[:3] for line in lines[2:]] == [
        ["| mlperf_a", "64", "u55-64"],
        ["| mlperf_a", "256", "u55-256"],
        ["| mlperf_b", "64", "u55-64"],
        ["| mlperf_b", "256", "u55-256"],
    ]
    assert lines[2].endswith("| 1,000 | 25.0% | 4,096 | 30,000 | 88 | 107 | SOFTMAX #3 |")


def test_the_page_has_its_place() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "\nnew\n" in written(page, "new")
    assert written(written(page, "new"), "newer") == written(page, "newer")


def test_five_networks_are_compared() -> None:
    assert len(SCORED) == 5
