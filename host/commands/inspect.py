"""`celosia inspect`: what a model holds and where it would run."""

from typing import TYPE_CHECKING

import typer

from ..cli import USAGE_STATUS
from ..device_spec import DeviceSpec
from .options import AsJson, Model, described_by, simulated
from .terminal import output, print_json, print_line, table

if TYPE_CHECKING:
    from ..inspection import Inspection, TensorSummary


@described_by(simulated)
def inspect_command(
    model: Model,
    spec: DeviceSpec,
    as_json: AsJson = False,
) -> None:
    """List a model's operators: shapes, MACs, weights, where each runs, and if not on the engine every reason.

    Nothing is built. Exit code 2 if the model cannot run at all.

    Example: celosia inspect model.tflite --preset u55-64
    """
    # Imported here: the other commands start without importer and compiler.
    from ..inspection import inspect_model

    inspection = inspect_model(model, spec.config)
    if as_json:
        print_json({**inspection.to_dict(), "configuration": f"{spec.config.hash:016x}"})
    else:
        _show(inspection)
    if not inspection.can_run:
        raise typer.Exit(USAGE_STATUS)


def _show(inspection: "Inspection") -> None:
    columns = ("operator", "inputs", "output", "MACs", "weights", "runs on")
    text = ("operator", "inputs", "output", "runs on")
    operators = table(columns, left=text)
    for operator in inspection.operators:
        operators.add_row(
            operator.name,
            _text(operator.inputs),
            _text(operator.outputs),
            f"{operator.macs:,}" if operator.macs else "",
            f"{operator.weight_bytes:,} B" if operator.weight_bytes else "",
            operator.runs_on,
        )
    operators.add_row("all", "", "", f"{inspection.macs:,}", f"{inspection.weight_bytes:,} B", "")
    console = output()
    print_line(console, inspection.model)
    console.print(operators)
    refused = [operator for operator in inspection.operators if operator.reasons]
    if refused:
        print_line(console, "\nNot on the engine:")
    for operator in refused:
        for reason in operator.reasons:
            print_line(console, f"  {operator.name}: {reason}")
    if not inspection.can_run:
        print_line(console, "\nThis model cannot run: the operators that run nowhere must be replaced.")


def _text(tensors: "tuple[TensorSummary, ...]") -> str:
    return ", ".join(f"{tensor.dtype} {'x'.join(map(str, tensor.shape)) or 'scalar'}" for tensor in tensors)
