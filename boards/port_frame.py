"""Shift registers around a module that has more ports than a package has pins."""

from collections.abc import Sequence
from dataclasses import dataclass

FRAME_NAME = "frame"

_TEMPLATE = """\
// {module} between shift registers: every path from and to its ports starts and ends in a register.
module {frame}(input wire clock, input wire serial_in, output wire serial_out);
  reg [{inputs_high}:0] inputs;
  wire [{outputs_high}:0] outputs;
  reg [{outputs_high}:0] level_0;
  always @(posedge clock) begin
    inputs <= {{inputs, serial_in}};
    level_0 <= outputs;
  end
  {module} module_between(
    .{clock}(clock),
    {connections}
  );
{levels}
  assign serial_out = level_{last_level};
endmodule
"""
_LEVEL = """\
  reg [{high}:0] level_{number};
  always @(posedge clock) begin
{folds}
  end
"""
_FOLDED = 4
"""Bits that one LUT joins."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Verilog module: its name, whether it is an output, its width in bits."""

    name: str
    is_output: bool
    width: int


def port_frame(module: str, clock: str, ports: Sequence[Port]) -> str:
    """Verilog of a module `FRAME_NAME` of three pins around one instance of `module`.

    Inputs come from a shift register, so that none is constant; outputs are registered and folded by exclusive or, so
    that none is removed. What that costs beside registers is one LUT for every three outputs.

    Raises:
        ValueError: there are no inputs besides `clock`, or no outputs.
    """
    connections: list[str] = []
    places = {False: 0, True: 0}
    for port in ports:
        if port.name == clock:
            continue
        low = places[port.is_output]
        places[port.is_output] = low + port.width
        vector = "outputs" if port.is_output else "inputs"
        connections.append(f".{port.name}({vector}[{low + port.width - 1}:{low}])")
    if not places[False] or not places[True]:
        raise ValueError(f"{module} must have an input besides {clock!r} and an output")
    levels: list[str] = []
    width = places[True]
    while width > 1:
        number = len(levels) + 1
        folded = -(-width // _FOLDED)
        folds = "\n".join(
            f"    level_{number}[{index}] <= "
            f"^level_{number - 1}[{min(width, (index + 1) * _FOLDED) - 1}:{index * _FOLDED}];"
            for index in range(folded)
        )
        levels.append(_LEVEL.format(high=folded - 1, number=number, folds=folds))
        width = folded
    return _TEMPLATE.format(
        frame=FRAME_NAME,
        module=module,
        clock=clock,
        inputs_high=places[False] - 1,
        outputs_high=places[True] - 1,
        connections=",\n    ".join(connections),
        levels="".join(levels),
        last_level=len(levels),
    )
