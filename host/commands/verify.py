"""`celosia verify`: a model against expected outputs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..device_spec import DeviceSpec
from .options import AsJson, Model, described_by, device_of
from .terminal import output, print_json, print_line, progress_bars

if TYPE_CHECKING:
    from ..verify import Verification

DIFFERENT_STATUS = 1

_Cases = Annotated[
    Path,
    typer.Option(
        "--cases",
        metavar="FILE.npz",
        help="Cases, with the keys NAME.in0, .. and NAME.out0, ..",
        show_default=False,
    ),
]


@described_by(device_of)
def verify_command(
    model: Model,
    cases: _Cases,
    spec: DeviceSpec,
    as_json: AsJson = False,
) -> None:
    """Run every case on a device and compare the outputs with the expected ones, bit for bit.

    Exit code 0 only if all are equal, 1 if not: then the first layer at fault is named.

    Example: celosia verify model.tflite --cases cases.npz --device sim:u55-128 --json
    """
    # Imported here: the other commands start without importer, compiler and reference kernels.
    from ..verify import verify_model

    with progress_bars() as progress:
        verification = verify_model(model, cases, spec, progress)
    if as_json:
        print_json(verification.to_dict())
    else:
        _show(verification)
    if not verification.is_equal:
        raise typer.Exit(DIFFERENT_STATUS)


def _show(verification: "Verification") -> None:
    lines = [
        f"{verification.equal}/{verification.cases} cases bit-exact on {verification.device}",
        f"cycles per inference: {verification.cycles:,} (predicted {verification.predicted_cycles:,})",
        f"MAC utilisation: {verification.mac_utilization:.1%} ({verification.macs:,} MACs)",
        f"on the host: {', '.join(verification.host_operators) or 'nothing'}",
        f"wall time: {verification.wall_seconds:.1f} s",
        *(str(difference) for difference in verification.differences),
    ]
    console = output()
    for line in lines:
        print_line(console, line)
