"""What a layer must look like to run on an engine whose COMPUTE fills accumulator tiles; see `chassis.family.Rule`."""

from ..layer import ELEMENTWISE, Layer, LayerKind, treats_channels_apart
from .planes import LARGEST_REDUCTION
from .tile_config import TileConfig
from .tiling import blocks_per_brick, output_blocks


def operands(layer: Layer, config: TileConfig) -> str | None:
    """Operands must have the engine's width: int8, unless it is an engine of fixed-point numbers"""
    if layer.is_wide:
        return "int16"
    return f"{layer.operand_bits} bits" if layer.operand_bits != config.element_bits else None


def operands_in_passes(layer: Layer, config: TileConfig) -> str | None:
    """Operands must be int8 or, on an engine with `int16`, int16 in sums of at most 32,768 products, whose bytes'
    sums fit int32
    """
    if not layer.is_wide or not config.splits_int16:
        return operands(layer, config)
    products = 0 if layer.weights is None else layer.weights[0].size
    return f"{products} products" if products > LARGEST_REDUCTION else None


def kernel(layer: Layer, config: TileConfig) -> str | None:
    """Kernels must be at most 255 x 255"""
    window = layer.window
    return f"{window.height} x {window.width}" if max(window.height, window.width) > 255 else None


def stride(layer: Layer, config: TileConfig) -> str | None:
    """Strides must be 1 to 3"""
    return _stride_beyond(layer, 3)


def stride_up_to_4(layer: Layer, config: TileConfig) -> str | None:
    """Strides must be 1 to 4"""
    return _stride_beyond(layer, 4)


def _stride_beyond(layer: Layer, largest: int) -> str | None:
    window = layer.window
    strides = window.stride_y, window.stride_x
    return f"{strides[0]} x {strides[1]}" if max(strides) > largest else None


def dilation(layer: Layer, config: TileConfig) -> str | None:
    """Dilations must be 1 or 2"""
    window = layer.window
    if max(window.dilation_y, window.dilation_x) > 2:
        return f"{window.dilation_y} x {window.dilation_x}"
    return None


def padding(layer: Layer, config: TileConfig) -> str | None:
    """Padding on the left must be at most 128 pixels"""
    return f"{layer.window.pad_left}" if layer.window.pad_left > 128 else None


def map_size(layer: Layer, config: TileConfig) -> str | None:
    """Height and width of a feature map must be at most 32,767, channels at most 16,384, in less than 64 KiB"""
    channels = min(16384, 65535 // config.element_bytes)
    for shape in (layer.ifm_shape, layer.ofm_shape):
        if max(shape.height, shape.width) > 32767 or shape.channels > channels:
            return f"{shape.height} x {shape.width} x {shape.channels}"
    return None


def row_size(layer: Layer, config: TileConfig) -> str | None:
    """The rows that one row of the ofm needs, and that row, must fit the unified buffer together; of operators that
    treat each channel by itself, eight channels of the ifm's rows
    """
    ifm, ofm = layer.ifm_shape, layer.ofm_shape
    rows = min(layer.window.span_y, ifm.height) + (1 if layer.kind in ELEMENTWISE else 0)
    channels = config.brick_channels
    depth = 1 if treats_channels_apart(layer) else -(-ifm.channels // channels)
    bricks = rows * ifm.width * depth + ofm.width * -(-ofm.channels // channels)
    if bricks > config.buffer_bricks:
        return f"{bricks * config.brick_bytes} bytes for {config.buffer_bricks * config.brick_bytes}"
    return None


def output_channels(layer: Layer, config: TileConfig) -> str | None:
    """Output channels must fit the command's count of blocks"""
    return f"{layer.ofm_shape.channels}" if output_blocks(layer, config) > 4095 else None


def dense_depth_multiplier(layer: Layer, config: TileConfig) -> str | None:
    """Depth multipliers must be at most 1,023 divided by a brick's blocks of eight channels"""
    if layer.kind is LayerKind.DEPTHWISE and blocks_per_brick(layer, config) > 1023:
        return f"{layer.depth_multiplier}"
    return None


def no_softmax(layer: Layer, config: TileConfig) -> str | None:
    """SOFTMAX runs on the host"""
    return layer.kind.name if layer.kind is LayerKind.SOFTMAX else None
