"""A native object is destroyed once, whoever ends it, and never used afterwards."""

import pytest

from celosia.generators.chassis.device import DeviceError
from celosia.sim.native_handle import NativeHandle


class Kept:
    """What the object points into; tells when it goes."""

    def __init__(self, log: list[object]) -> None:
        self._log = log

    def __del__(self) -> None:
        self._log.append("memory freed")


@pytest.fixture
def log() -> list[object]:
    return []


def handle(log: list[object]) -> NativeHandle:
    return NativeHandle(7, log.append, "it is closed: make a new one", Kept(log))


def test_it_is_destroyed_once(log: list[object]) -> None:
    made = handle(log)
    assert (made.opened(), log) == (7, [])
    made.close()
    made.close()
    assert log == [7]
    with pytest.raises(DeviceError, match="it is closed: make a new one"):
        made.opened()
    del made
    assert log == [7, "memory freed"]


def test_one_that_nobody_refers_to_is_destroyed_before_what_it_points_into(log: list[object]) -> None:
    made = handle(log)
    del made
    assert log == [7, "memory freed"]
