"""The life of what a model's library makes: used while it is open, destroyed once."""

from collections.abc import Callable

from celosia.generators.chassis.device import DeviceError


class NativeHandle:
    """Something on the other side of a C ABI, which is named by a pointer.

    It is destroyed when it is closed, or else when nobody refers to it any more.
    """

    def __init__(self, pointer: int, destroy: Callable[[int], object], closed: str, kept: object) -> None:
        """Take it over.

        Args:
            pointer: what the library calls it by.
            destroy: the library's function that ends it.
            closed: what use after that is told.
            kept: what it points into: alive as long as it is.
        """
        self._pointer: int | None = pointer
        self._destroy = destroy
        self._closed = closed
        self._kept = kept

    def opened(self) -> int:
        """What the library calls it by.

        Raises:
            DeviceError: it is closed.
        """
        if self._pointer is None:
            raise DeviceError(self._closed)
        return self._pointer

    def close(self) -> None:
        """Destroy it; may be called twice."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            self._destroy(pointer)

    def __del__(self) -> None:
        self.close()
