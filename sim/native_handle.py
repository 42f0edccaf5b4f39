"""An object on the C++ side of a model's library, destroyed once."""

from collections.abc import Callable

from celosia.generators.chassis.device import DeviceError


class NativeHandle:
    """What a library's `create` gave, until it is closed or nobody has it any more.

    Args:
        pointer: to the object; None if there is none.
        destroy: of the library.
        closed: what an error says to whoever uses it afterwards.
    """

    def __init__(self, pointer: int | None, destroy: Callable[[int], None], closed: str) -> None:
        self._pointer = pointer
        self._destroy = destroy
        self._closed = closed

    def __bool__(self) -> bool:
        """Whether there is an object."""
        return self._pointer is not None

    @property
    def pointer(self) -> int:
        """For calls into the library.

        Raises:
            DeviceError: it was closed.
        """
        if self._pointer is None:
            raise DeviceError(self._closed)
        return self._pointer

    def close(self) -> None:
        """Destroy the object; may be called twice."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            self._destroy(pointer)

    def __del__(self) -> None:
        if getattr(self, "_pointer", None) is not None:
            self.close()
