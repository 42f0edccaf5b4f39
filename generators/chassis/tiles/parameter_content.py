"""Bytes of parameters as ACTIVATE consumes them."""

import numpy as np
import numpy.typing as npt

from ..layer import OutputStage
from .commands import BIAS_BEATS, BRICK_CHANNELS


def parameter_content(requantization: OutputStage, blocks: slice = slice(None)) -> bytes:
    """`blocks` of `parameter_blocks` as ACTIVATE reads them: with a uniform scale biases alone after the first."""
    chosen = parameter_blocks(requantization)
    if not requantization.is_uniform:
        chosen = chosen[blocks]
    if requantization.has_uniform_scale:
        return chosen[0].tobytes() + chosen[1:, : BIAS_BEATS * 8].tobytes()
    return chosen.tobytes()


def parameter_blocks(requantization: OutputStage) -> npt.NDArray[np.uint8]:
    """Blocks of eight channels: 32 bytes of bias, 32 of multiplier, 8 of shift; see `parameter_words` of each stage.

    Returns:
        uint8[ceil(channels / 8), 72]; one block if the parameters are uniform.
    """
    channels = BRICK_CHANNELS if requantization.is_uniform else len(requantization.bias)
    blocks = -(-channels // BRICK_CHANNELS)

    def padded(values: npt.NDArray[np.generic], dtype: str) -> npt.NDArray[np.uint8]:
        if requantization.is_uniform:
            values = np.repeat(values[:1], channels)
        full = np.zeros(blocks * BRICK_CHANNELS, dtype)
        full[:channels] = values
        return full.reshape(blocks, BRICK_CHANNELS).view(np.uint8)

    words = requantization.parameter_words
    return np.concatenate(
        [padded(part, dtype) for part, dtype in zip(words, ("<i4", "<i4", "i1"), strict=True)], axis=1
    )
