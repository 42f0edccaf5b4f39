"""The frame drives every input and folds every output, and Yosys removes neither."""

import re
from pathlib import Path

import pytest

from celosia.boards.ecp5_synthesis import synthesize
from celosia.boards.port_frame import FRAME_NAME, Port, port_frame

PORTS = (Port("clk", False, 1), Port("a", False, 3), Port("b", False, 6), Port("sum", True, 7))
ADDER = """\
module adder(input clk, input [2:0] a, input [5:0] b, output reg [6:0] sum);
  always @(posedge clk) sum <= a + b;
endmodule
"""


def test_every_bit_of_every_port_is_connected_once() -> None:
    text = port_frame("adder", "clk", PORTS)
    assert ".clk(clock)" in text
    assert re.findall(r"\.(\w+)\((\w+\[[\d:]+\])\)", text) == [
        ("a", "inputs[2:0]"),
        ("b", "inputs[8:3]"),
        ("sum", "outputs[6:0]"),
    ]


def test_nothing_of_the_module_is_removed(tmp_path: Path) -> None:
    """A register for each input, output and fold, and the module's own."""
    sources = (("adder.v", ADDER), ("frame.v", port_frame("adder", "clk", PORTS)))
    netlist = synthesize(sources, FRAME_NAME, tmp_path)
    assert netlist.cells["TRELLIS_FF"] == 9 + 7 + (2 + 1) + 7
    assert netlist.file.is_file()


@pytest.mark.parametrize("ports", [PORTS[:3], (PORTS[0], PORTS[3])])
def test_a_module_without_inputs_or_outputs_is_refused(ports: tuple[Port, ...]) -> None:
    with pytest.raises(ValueError, match="adder must have an input besides 'clk' and an output"):
        port_frame("adder", "clk", ports)
