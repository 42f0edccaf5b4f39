"""How much data to put into a frame, and how many frames to send ahead."""

SMALLEST_PAYLOAD = 32
"""Bytes of data in a frame on the worst of lines."""

_DELIVERIES_TO_GROW = 8


class Pace:
    """Payload and frames in flight double after so many deliveries in a row, and halve with each loss.

    The larger a frame, the likelier that it is hit; the smaller, the more of the line its header takes: at 1 % of
    bytes damaged the best payload is about 50 bytes, at none the largest there is. And what follows a lost frame is
    sent again with it, so that sending ahead pays only while losses are rare.

    Attributes:
        payload: bytes of data in a frame, `SMALLEST_PAYLOAD` to `largest_payload`.
        frames: in flight, 1 to `window`.
    """

    def __init__(self, largest_payload: int, window: int) -> None:
        if largest_payload < SMALLEST_PAYLOAD:
            raise ValueError(f"largest_payload must be at least {SMALLEST_PAYLOAD}, not {largest_payload}")
        if window < 1:
            raise ValueError(f"window must be at least 1, not {window}")
        self._largest_payload = largest_payload
        self._window = window
        self._in_a_row = 0
        self.payload = min(2 * SMALLEST_PAYLOAD, largest_payload)
        self.frames = min(2, window)

    def delivered(self) -> None:
        """A frame came through at the first attempt."""
        self._in_a_row += 1
        if self._in_a_row >= _DELIVERIES_TO_GROW:
            self._in_a_row = 0
            self.payload = min(2 * self.payload, self._largest_payload)
            self.frames = min(2 * self.frames, self._window)

    def lost(self) -> None:
        """One did not."""
        self._in_a_row = 0
        self.payload = max(self.payload // 2, SMALLEST_PAYLOAD)
        self.frames = max(self.frames // 2, 1)
