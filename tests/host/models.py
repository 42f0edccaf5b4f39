"""Small models for tests of the host, and a simulator that needs no simulation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from celosia.host.graph import Graph
from celosia.host.tflite import parse_tflite
from tests.tflite_builder import ModelBuilder

__all__ = ["mixed_graph", "mixed_model", "pooling_graph", "save_cases"]


def mixed_model(seed: int = 1) -> bytes:
    """[1, 4, 4, 3] -> CONV_2D (engine) -> QUANTIZE (host) -> MEAN (engine) -> [1, 8]."""
    generator = np.random.default_rng(seed)
    model = ModelBuilder()
    image = model.tensor((1, 4, 4, 3), scale=0.5)
    weights = model.tensor(
        (8, 3, 3, 3), scale=0.01, data=generator.integers(-127, 128, (8, 3, 3, 3), np.int8)
    )
    convolved = model.tensor((1, 4, 4, 8), scale=0.25, zero_point=3)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [image, weights], [convolved], "Conv2DOptions", padding=0, **options)
    coarse = model.tensor((1, 4, 4, 8), scale=0.5, zero_point=-9)
    model.operator("QUANTIZE", [convolved], [coarse])
    axes = model.tensor((2,), "int32", data=np.array([1, 2], np.int32))
    averages = model.tensor((1, 8), scale=0.125)
    model.operator("MEAN", [coarse, axes], [averages], "ReducerOptions", keepDims=False)
    return model.pack([image], [averages])


def mixed_graph(seed: int = 1) -> Graph:
    """The graph of `mixed_model`."""
    return parse_tflite(mixed_model(seed), "mixed.tflite").require_graph()


def pooling_graph(height: int, width: int, channels: int, kernel: int, padding: int) -> Graph:
    """One AVERAGE_POOL_2D of stride 1; padding 0 is SAME, 1 is VALID."""
    model = ModelBuilder()
    image = model.tensor((1, height, width, channels), scale=0.5)
    cut = 0 if padding == 0 else kernel - 1
    pooled = model.tensor((1, height - cut, width - cut, channels), scale=0.5)
    options = {"filterHeight": kernel, "filterWidth": kernel, "strideH": 1, "strideW": 1}
    model.operator("AVERAGE_POOL_2D", [image], [pooled], "Pool2DOptions", padding=padding, **options)
    return parse_tflite(model.pack([image], [pooled]), "pool.tflite").require_graph()


def save_cases(
    path: Path, graph: Graph, run: Callable[[list[np.ndarray]], list[np.ndarray]], names: tuple[str, ...]
) -> None:
    """A file of seeded cases, with what `run` answers as the expected outputs."""
    arrays: dict[str, np.ndarray] = {}
    for seed, name in enumerate(names):
        generator = np.random.default_rng(seed)
        inputs = [
            generator.integers(-128, 128, graph.tensor(index).shape).astype(np.int8) for index in graph.inputs
        ]
        arrays |= {f"{name}.in{index}": value for index, value in enumerate(inputs)}
        arrays |= {f"{name}.out{index}": value for index, value in enumerate(run(inputs))}
    np.savez(path, allow_pickle=False, **arrays)
