"""Weights of all kinds for the tests of their code."""

import numpy as np


def sample(generator: np.random.Generator, live_lanes: int = 8, words: int | None = None) -> bytes:
    """Words whose upper lanes are zero: Laplacian of any width, some zero words, some outliers."""
    count = int(generator.integers(1, 200)) if words is None else words
    lanes = np.zeros((count * 2, 8), np.int8)
    width = float(generator.choice([0.3, 2.0, 8.0, 30.0, 200.0]))
    values = np.clip(np.rint(generator.laplace(0.0, width, (count * 2, live_lanes))), -128, 127)
    values[generator.random(values.shape) < generator.choice([0.0, 0.02])] = -128
    lanes[:, :live_lanes] = values
    zero = generator.random(count) < generator.choice([0.0, 0.5, 0.95])
    lanes.reshape(count, 16)[zero] = 0
    return lanes.tobytes()
