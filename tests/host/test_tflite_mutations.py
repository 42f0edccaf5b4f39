"""Damaged files end in ModelError, or in a graph that computes what TensorFlow Lite Micro computes."""

import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from celosia.host.errors import ModelError
from celosia.host.reference import run_graph
from celosia.host.tflite import parse_tflite
from tests.tflite_mutator import mutate
from tests.tflite_oracle import OracleRejects, TfliteMicroOracle
from tests.tflite_writer import random_inputs
from tests.worker_process import WorkerProcess

SECONDS_PER_FILE = 5.0
MAXIMUM_RESIDENT_KIB = 1 << 20
QUICK_MUTATIONS = 400
ALL_MUTATIONS = 2000


def import_and_run(data: bytes, seed: int) -> tuple[str, list[np.ndarray], list[np.ndarray], int]:
    """In the worker: the error or "", inputs, outputs, and the peak memory so far in KiB."""
    inputs: list[np.ndarray] = []
    outputs: list[np.ndarray] = []
    reason = ""
    try:
        graph = parse_tflite(data, "damaged.tflite").require_graph()
        inputs = random_inputs(
            [(graph.tensor(index).shape, graph.tensor(index).dtype) for index in graph.inputs], seed
        )
        outputs = run_graph(graph, inputs)
    except ModelError as error:
        reason = str(error)
    return reason, inputs, outputs, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture(scope="module")
def importer() -> Iterator[WorkerProcess]:
    with WorkerProcess(import_and_run, SECONDS_PER_FILE) as worker:
        yield worker


@pytest.fixture(scope="module")
def oracle() -> Iterator[TfliteMicroOracle]:
    with TfliteMicroOracle() as oracle:
        yield oracle


def check_mutations(models: Path, importer: WorkerProcess, oracle: TfliteMicroOracle, seeds: range) -> None:
    files = [(path.parent.name, path.read_bytes()) for path in sorted(models.glob("*/model.tflite"))]
    importer.call(b"", 0)  # the first call also starts the process, which is not what is timed
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        # Pairs of seeds share a network, so that each is both flipped and edited.
        network, original = files[seed // 2 % len(files)]
        data, change = mutate(original, seed)
        what = f"{network}, mutation {seed}: {change}"
        reason, inputs, outputs, resident = importer.call(data, seed)
        assert resident < MAXIMUM_RESIDENT_KIB, what
        if reason:
            assert reason.startswith("damaged.tflite: "), what
            outcomes["refused"] += 1
            continue
        try:
            expected = oracle.run(data, inputs)
        except OracleRejects:
            outcomes["refused by the oracle"] += 1
            continue
        assert len(outputs) == len(expected), what
        for output, golden in zip(outputs, expected, strict=True):
            assert output.dtype == golden.dtype, what
            np.testing.assert_array_equal(output, golden, err_msg=what)
        outcomes["equal"] += 1
    assert outcomes["refused"] > len(seeds) // 4, outcomes
    assert outcomes["equal"] > len(seeds) // 10, outcomes


def test_mutations(shared_models: Path, importer: WorkerProcess, oracle: TfliteMicroOracle) -> None:
    check_mutations(shared_models, importer, oracle, range(QUICK_MUTATIONS))


@pytest.mark.slow
def test_all_mutations(shared_models: Path, importer: WorkerProcess, oracle: TfliteMicroOracle) -> None:
    check_mutations(shared_models, importer, oracle, range(QUICK_MUTATIONS, ALL_MUTATIONS))


def test_the_undamaged_files_are_equal(
    shared_models: Path, importer: WorkerProcess, oracle: TfliteMicroOracle
) -> None:
    for path in sorted(shared_models.glob("*/model.tflite")):
        data = path.read_bytes()
        reason, inputs, outputs, _ = importer.call(data, 1)
        assert not reason
        for output, golden in zip(outputs, oracle.run(data, inputs), strict=True):
            np.testing.assert_array_equal(output, golden, err_msg=path.parent.name)
