"""What a layer must look like to run on a MAC engine.

A rule is one function, see `chassis.family.Rule`.
"""

from ..chassis.family import Rule
from ..chassis.layer import ELEMENTWISE, Layer, LayerKind, treats_channels_apart
from .config import MacEngineConfig
from .isa import SOFTMAX_CHANNELS
from .tiling import blocks_per_brick, output_blocks

_SOFTMAX_PIXELS = 4096


def _kernel(layer: Layer, config: MacEngineConfig) -> str | None:
    """Kernels must be at most 255 x 255"""
    window = layer.window
    return f"{window.height} x {window.width}" if max(window.height, window.width) > 255 else None


def _stride(layer: Layer, config: MacEngineConfig) -> str | None:
    """Strides must be 1 to 3"""
    window = layer.window
    return f"{window.stride_y} x {window.stride_x}" if max(window.stride_y, window.stride_x) > 3 else None


def _dilation(layer: Layer, config: MacEngineConfig) -> str | None:
    """Dilations must be 1 or 2"""
    window = layer.window
    if max(window.dilation_y, window.dilation_x) > 2:
        return f"{window.dilation_y} x {window.dilation_x}"
    return None


def _padding(layer: Layer, config: MacEngineConfig) -> str | None:
    """Padding on the left must be at most 128 pixels"""
    return f"{layer.window.pad_left}" if layer.window.pad_left > 128 else None


def _map_size(layer: Layer, config: MacEngineConfig) -> str | None:
    """Height and width of a feature map must be at most 32,767, channels at most 16,384"""
    for shape in (layer.ifm_shape, layer.ofm_shape):
        if max(shape.height, shape.width) > 32767 or shape.channels > 16384:
            return f"{shape.height} x {shape.width} x {shape.channels}"
    return None


def _row_size(layer: Layer, config: MacEngineConfig) -> str | None:
    """The rows that one row of the ofm needs, and that row, must fit the unified buffer together; of operators that
    treat each channel by itself, eight channels of the ifm's rows
    """
    ifm, ofm = layer.ifm_shape, layer.ofm_shape
    rows = min(layer.window.span_y, ifm.height) + (1 if layer.kind in ELEMENTWISE else 0)
    depth = 1 if treats_channels_apart(layer) else -(-ifm.channels // 8)
    bricks = rows * ifm.width * depth + ofm.width * -(-ofm.channels // 8)
    if bricks > config.buffer_bricks:
        return f"{bricks * 8} bytes for {config.buffer_bricks * 8}"
    return None


def _depth_multiplier(layer: Layer, config: MacEngineConfig) -> str | None:
    """Depth multipliers must be at most 255"""
    if layer.kind is LayerKind.DEPTHWISE and blocks_per_brick(layer, config) > 1023:
        return f"{layer.depth_multiplier}"
    return None


def _output_channels(layer: Layer, config: MacEngineConfig) -> str | None:
    """Output channels must fit the command's count of blocks"""
    return f"{layer.ofm_shape.channels}" if output_blocks(layer, config) > 4095 else None


def _softmax_channels(layer: Layer, config: MacEngineConfig) -> str | None:
    """SOFTMAX must be over at most 2,048 channels"""
    channels = layer.ofm_shape.channels
    return f"{channels}" if layer.kind is LayerKind.SOFTMAX and channels > SOFTMAX_CHANNELS else None


def _softmax_pixels(layer: Layer, config: MacEngineConfig) -> str | None:
    """SOFTMAX must be over at most 4,096 pixels: every one takes commands of its own"""
    pixels = layer.ofm_shape.height * layer.ofm_shape.width
    return f"{pixels}" if layer.kind is LayerKind.SOFTMAX and pixels > _SOFTMAX_PIXELS else None


RULES: tuple[Rule[MacEngineConfig], ...] = (
    _kernel,
    _stride,
    _dilation,
    _padding,
    _map_size,
    _row_size,
    _depth_multiplier,
    _output_channels,
    _softmax_channels,
    _softmax_pixels,
)
