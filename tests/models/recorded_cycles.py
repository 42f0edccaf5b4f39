"""The cycles of every published network on every preset, kept beside the code so that no change goes unseen.

    make cycles                (or python -m tests.models.recorded_cycles, in the checkout)

writes `cycles.csv` again from the cycle model.
"""

import csv
from pathlib import Path

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.prediction import with_predictions
from celosia.host.tflite import load_tflite
from tests.families import SIMULATED
from tests.models.networks import NETWORKS

__all__ = ["predicted_cycles", "recorded_cycles"]

TABLE = Path(__file__).with_name("cycles.csv")
MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"


def recorded_cycles() -> dict[tuple[str, str], int]:
    """By network and preset, behind the memory of the contract's defaults."""
    with TABLE.open(newline="") as file:
        return {
            (row["network"], preset): int(row[preset]) for row in csv.DictReader(file) for preset in SIMULATED
        }


def predicted_cycles(models: Path, network: str, preset: str) -> int:
    """What the cycle model says now."""
    program = compile_graph(load_tflite(models / network / "model.tflite"), PRESETS[preset])
    return with_predictions(program, MemoryModel()).predicted_cycles


def main() -> None:
    """Write the table."""
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["network", *SIMULATED])
        for network in NETWORKS:
            writer.writerow([network, *(predicted_cycles(MODELS, network, preset) for preset in SIMULATED)])


if __name__ == "__main__":
    main()
