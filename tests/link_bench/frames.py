"""Frames of bytes into and out of components."""

from collections.abc import Sequence
from typing import Any

from tests.gateware import Gaps, get, put


async def put_frames(ctx: Any, stream: Any, frames: Sequence[bytes], gaps: Gaps) -> None:
    """Frames onto a stream of `frame_byte_layout`."""
    for frame in frames:
        for place, byte in enumerate(frame):
            await gaps(ctx)
            await put(ctx, stream, {"byte": byte, "last": place == len(frame) - 1})


async def get_frame(ctx: Any, stream: Any, gaps: Gaps) -> bytes:
    """The next frame of such a stream."""
    content = bytearray()
    last = False
    while not last:
        await gaps(ctx)
        entry = await get(ctx, stream)
        content.append(entry.byte)
        last = entry.last
    return bytes(content)
