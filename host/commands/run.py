"""`celosia run`: one inference."""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ..arrays import load_inputs, random_array, save_outputs
from ..device_spec import DeviceSpec
from ..errors import DataError
from ..profile import Profile
from ..session import InferenceSession
from .options import AsJson, described_by, device_of
from .profile_table import profile_table
from .terminal import output, print_json, print_line, progress_bars, table

_SHOWN_VALUES = 10

_Program = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL|PROGRAM", help="A .tflite file, or what `compile` wrote.", show_default=False
    ),
]
_Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        metavar="FILE",
        help="A .npy file, or a .npz file with the inputs' names or in0, in1, ..",
        show_default=False,
    ),
]
_Random = Annotated[
    int | None,
    typer.Option("--random", metavar="SEED", min=0, help="Seeded random inputs instead.", show_default=False),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Write the outputs: *.npy for one, *.npz for all as out0, out1, ..",
        show_default=False,
    ),
]
_Profile = Annotated[bool, typer.Option("--profile", help="Show what every layer cost.")]
_Trace = Annotated[
    Path | None,
    typer.Option(
        "--trace", metavar="FILE", help="Write a waveform, *.vcd or *.fst, of the run.", show_default=False
    ),
]


@described_by(device_of)
def run_command(
    program: _Program,
    *,
    input_file: _Input = None,
    random: _Random = None,
    output_file: _Output = None,
    spec: DeviceSpec,
    profile: _Profile = False,
    trace: _Trace = None,
    as_json: AsJson = False,
) -> None:
    """Run one inference on a device.

    Example: celosia run model.tflite --input image.npy --output logits.npy --device sim:u55-128 --profile
    """
    if (input_file is None) == (random is None):
        raise typer.BadParameter("give the inputs by --input FILE or by --random SEED", param_hint="inputs")
    if trace is not None and trace.suffix not in (".vcd", ".fst"):
        raise DataError(str(trace), "a waveform is written to a file named *.vcd or *.fst")
    if trace is not None and not trace.absolute().parent.is_dir():
        raise DataError(str(trace), "there is no such folder to write a waveform into")
    if output_file is not None and output_file.suffix not in (".npy", ".npz"):
        raise DataError(str(output_file), "outputs are written to a file named *.npy or *.npz")
    with (
        progress_bars() as progress,
        InferenceSession(program, spec, trace=trace, progress=progress) as session,
    ):
        tensors = [session.program.tensors[index] for index in session.program.inputs]
        if input_file is not None:
            inputs = load_inputs(input_file, tensors)
        else:
            inputs = [random_array(tensor, [random or 0, place]) for place, tensor in enumerate(tensors)]
        names = [node.name for node in session.get_inputs()]
        progress("Running", 0, 1)
        started = time.perf_counter()
        outputs = session.run(None, dict(zip(names, inputs, strict=True)))
        seconds = time.perf_counter() - started
        costs = session.profile()
        progress("Running", 1, 1)
        if output_file is not None:
            save_outputs(output_file, outputs)
    if as_json:
        print_json(_report(session, costs, program, outputs, seconds, output_file, profile))
    else:
        _show(session, costs, program, outputs, seconds, output_file, profile)


def _report(
    session: InferenceSession,
    profile: Profile,
    program: Path,
    outputs: list[np.ndarray],
    seconds: float,
    output_file: Path | None,
    with_layers: bool,
) -> dict[str, object]:
    listed: list[dict[str, object]] = []
    for node, array in zip(session.get_outputs(), outputs, strict=True):
        entry: dict[str, object] = {"name": node.name, "shape": list(array.shape), "dtype": str(array.dtype)}
        listed.append(entry if output_file is not None else {**entry, "values": array.tolist()})
    costs = profile.to_dict()
    if not with_layers:
        del costs["layers"]
    return {
        "model": str(program),
        "device": session.spec.name,
        **costs,
        "host_operators": session.program.host_operators,
        "wall_seconds": seconds,
        "verilog": None if session.verilog_path is None else str(session.verilog_path),
        "outputs": listed,
    }


def _show(
    session: InferenceSession,
    profile: Profile,
    program: Path,
    outputs: list[np.ndarray],
    seconds: float,
    output_file: Path | None,
    with_layers: bool,
) -> None:
    console = output()
    print_line(console, f"{program} on {session.spec.name}")
    results = table(("output", "dtype", "shape", "values"), left=("output", "values"))
    for node, array in zip(session.get_outputs(), outputs, strict=True):
        values = " ".join(str(value) for value in array.reshape(-1)[:_SHOWN_VALUES])
        more = " .." if array.size > _SHOWN_VALUES else ""
        results.add_row(node.name, str(array.dtype), "x".join(map(str, array.shape)), values + more)
    console.print(results)
    if with_layers:
        console.print()
        print_line(console, "Cycles of every layer: active, and stalls by cause")
        console.print(profile_table(profile))
    console.print()
    print_line(console, f"cycles: {profile.cycles:,} (predicted {profile.predicted_cycles:,})")
    print_line(console, f"MAC utilisation: {profile.mac_utilization:.1%} ({profile.macs:,} MACs)")
    print_line(console, f"on the host: {', '.join(session.program.host_operators) or 'nothing'}")
    if session.verilog_path is None:
        print_line(console, f"run in {seconds:.2f} s")
    else:
        print_line(console, f"simulated in {seconds:.2f} s: {profile.cycles / seconds:,.0f} cycles/s")
        print_line(console, f"Verilog: {session.verilog_path}")
    if output_file is not None:
        print_line(console, f"written: {output_file}")
