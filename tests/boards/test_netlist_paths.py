"""The longest paths of a netlist: what delays add up, and where a path starts and ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from celosia.boards.errors import BuildError
from celosia.boards.netlist_paths import longest_paths, wire_nanoseconds

ONE = wire_nanoseconds(1)


def cell(kind: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> dict[str, Any]:
    directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {"type": kind, "port_directions": directions, "connections": inputs | outputs}


def register(given: int | str, shown: int, enable: int | str = "1") -> dict[str, Any]:
    return cell("TRELLIS_FF", {"CLK": [1], "DI": [given], "CE": [enable]}, {"Q": [shown]})


def write(folder: Path, cells: dict[str, Any]) -> Path:
    file = folder / "netlist.json"
    file.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    return file


def times(folder: Path, cells: dict[str, Any]) -> dict[str, float]:
    return {path.end: path.nanoseconds for path in longest_paths(write(folder, cells), "top")}


def test_wires_and_cells_add_up_from_register_to_register(tmp_path: Path) -> None:
    cells = {
        "a.from_TRELLIS_FF_Q": register(2, 3),
        "a.first_LUT4_Z": cell("LUT4", {"A": [3], "B": ["0"]}, {"Z": [4]}),
        "a.second_LUT4_Z": cell("LUT4", {"A": [4]}, {"Z": [5]}),
        "b.to_TRELLIS_FF_Q": register(5, 6),
    }
    (path, *_) = longest_paths(write(tmp_path, cells), "top")
    assert path.end == "b.to:D"
    assert path.components == ("a.from", "a.first", "a.second")
    assert path.fan_outs == (1, 1, 1)
    assert path.nanoseconds == pytest.approx(0.52 + 2 * 0.24 + 3 * ONE)


def test_the_later_of_two_inputs_decides(tmp_path: Path) -> None:
    cells = {
        "register_TRELLIS_FF_Q": register(2, 3),
        "memory": cell("DP16KD", {"ADA0": [3]}, {"DOA0": [4]}),
        "choice_LUT4_Z": cell("LUT4", {"A": [3], "B": [4]}, {"Z": [5]}),
        "end_TRELLIS_FF_Q": register(5, 6),
    }
    assert times(tmp_path, cells)["end:D"] == pytest.approx(5.7 + 0.24 + 2 * ONE)


def test_a_carry_costs_no_wire_and_little_else(tmp_path: Path) -> None:
    chain = {
        f"sum_CCU2C_S0_{place}": cell(
            "CCU2C", {"A0": [3], "CIN": [100 + place]}, {"COUT": [101 + place], "S0": [200 + place]}
        )
        for place in range(3)
    }
    cells = {
        "from_TRELLIS_FF_Q": register(2, 3),
        **chain,
        "end_TRELLIS_FF_Q": register(202, 6),
    }
    assert times(tmp_path, cells)["end:D"] == pytest.approx(
        0.52 + wire_nanoseconds(3) + 0.45 + 0.07 + 0.44 + ONE
    )


def test_enables_are_ends_of_their_own_and_fan_out_costs(tmp_path: Path) -> None:
    ends = {f"end_{place}_TRELLIS_FF_Q": register("0", 10 + place, enable=4) for place in range(50)}
    cells = {
        "from_TRELLIS_FF_Q": register(2, 3),
        "enable_LUT4_Z": cell("LUT4", {"A": [3]}, {"Z": [4]}),
        **ends,
    }
    found = times(tmp_path, cells)
    assert found["end_7:CE"] == pytest.approx(0.52 + ONE + 0.24 + wire_nanoseconds(50))
    assert wire_nanoseconds(50) > wire_nanoseconds(5) > ONE


def test_only_the_read_address_passes_through_lut_ram(tmp_path: Path) -> None:
    memory = cell("TRELLIS_DPR16X4", {"RAD": [3], "DI": [4]}, {"DO": [5]})
    cells = {
        "address_TRELLIS_FF_Q": register(2, 3),
        "data_LUT4_Z": cell("LUT4", {"A": [3]}, {"Z": [4]}),
        "memory": memory,
        "end_TRELLIS_FF_Q": register(5, 6),
    }
    found = times(tmp_path, cells)
    near = wire_nanoseconds(2)
    assert found["end:D"] == pytest.approx(0.52 + near + 0.3 + ONE)
    assert found["memory:DI"] == pytest.approx(0.52 + near + 0.24 + ONE)


def test_a_loop_is_named(tmp_path: Path) -> None:
    cells = {
        "x.one_LUT4_Z": cell("LUT4", {"A": [3]}, {"Z": [2]}),
        "x.two_LUT4_Z": cell("LUT4", {"A": [2]}, {"Z": [3]}),
    }
    with pytest.raises(BuildError, match=r"combinational loop through x\.(one|two), x\.(one|two)"):
        longest_paths(write(tmp_path, cells), "top")


@pytest.mark.parametrize("text", ["", "[]", '{"modules": {}}'])
def test_what_is_no_netlist_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "netlist.json"
    file.write_text(text)
    with pytest.raises(BuildError, match=r"netlist\.json is no netlist of 'top'"):
        longest_paths(file, "top")
