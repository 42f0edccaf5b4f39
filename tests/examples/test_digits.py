"""The digits example as committed: enough held-out images, a network that reads them, goldens that are right."""

from pathlib import Path

import numpy as np
import pytest

from celosia.host.reference import run_graph
from celosia.host.tflite import load_tflite


@pytest.fixture(scope="module")
def digits(repository: Path) -> Path:
    return repository / "examples" / "digits"


@pytest.fixture(scope="module")
def labels(digits: Path) -> np.ndarray:
    with np.load(digits / "test_images.npz") as held_out:
        return held_out["labels"]


@pytest.fixture(scope="module")
def golden(digits: Path) -> np.ndarray:
    with np.load(digits / "golden.npz") as reference:
        return reference["logits"]


def test_at_least_300_images_of_all_ten_digits_are_held_out(labels: np.ndarray) -> None:
    assert len(labels) >= 300
    assert set(labels) == set(range(10))


def test_the_golden_answers_read_at_least_97_percent_right(golden: np.ndarray, labels: np.ndarray) -> None:
    assert np.mean(np.argmax(golden, axis=1) == labels) >= 0.97


def test_the_reference_kernels_give_the_golden_answers(digits: Path, golden: np.ndarray) -> None:
    graph = load_tflite(digits / "digits.tflite")
    with np.load(digits / "test_images.npz") as held_out:
        images = held_out["images"]
    answers = [run_graph(graph, [image[np.newaxis]])[0][0] for image in images]
    np.testing.assert_array_equal(np.stack(answers), golden)
