"""What lies in memory where elements have several bytes: planes, brick by brick; and back."""

import numpy as np
import pytest

from celosia.host.binary_point import FixedPoint
from celosia.host.graph import Quantization, Tensor
from celosia.host.layering.memory_layout import from_memory, planes_of, stored_bytes, stored_view, to_memory

ONE = Quantization((0.5,), (0,))


def test_each_brick_is_one_for_every_byte_the_highest_first() -> None:
    tensor = Tensor("t", (2, 10), "int16", ONE)
    values = np.arange(20, dtype=np.int16).reshape(2, 10) * 256 - 3
    stored = to_memory(values, tensor, 8)
    assert stored.shape == (2, 2, 2, 8)  # pixel, brick, byte, channel
    assert stored[1, 0, 1].tolist() == [(value & 255) for value in values[1, :8].tolist()]
    assert stored[1, 0, 0].view(np.int8).tolist() == [value >> 8 for value in values[1, :8].tolist()]
    assert stored[1, 1, 0].view(np.int8).tolist() == [
        *(value >> 8 for value in values[1, 8:].tolist()),
        *[0] * 6,
    ]


@pytest.mark.parametrize("brick_channels", [8, 16])
@pytest.mark.parametrize(("dtype", "bits"), [("int16", 16), ("int64", 48)])
def test_values_come_back(dtype: str, bits: int, brick_channels: int) -> None:
    tensor = Tensor("t", (3, 2, 21), dtype, ONE if dtype == "int16" else None)
    draw = np.random.default_rng(bits)
    values = draw.integers(-(1 << bits - 1), 1 << bits - 1, tensor.shape).astype(dtype)
    values[0, 0, :2] = -(1 << bits - 1), (1 << bits - 1) - 1
    content = to_memory(values, tensor, brick_channels).tobytes()
    assert len(content) == stored_bytes(tensor, brick_channels) == stored_view(tensor, brick_channels).size
    np.testing.assert_array_equal(from_memory(content + b"behind", tensor, brick_channels), values)


def test_other_elements_lie_as_numpy_has_them() -> None:
    fixed = Tensor("t", (2, 3), "int16", fixed_point=FixedPoint(16, 4, "EVEN"))
    for tensor in (Tensor("t", (2, 3), "int8", ONE), fixed):
        values = np.arange(6).reshape(2, 3).astype(tensor.dtype)
        assert planes_of(tensor) == 1
        assert stored_bytes(tensor, 8) == values.nbytes
        assert to_memory(values, tensor, 8) is values
        np.testing.assert_array_equal(from_memory(values.tobytes() + b"x", tensor, 8), values)
