"""`NativeHandle`: an object is destroyed once, by whoever comes first."""

import gc

import pytest

from celosia.generators.chassis.device import DeviceError
from celosia.sim.native_handle import NativeHandle


def test_it_is_destroyed_once() -> None:
    destroyed: list[int] = []
    handle = NativeHandle(7, destroyed.append, "it is closed: make a new one")
    assert handle
    assert handle.pointer == 7
    handle.close()
    handle.close()
    assert destroyed == [7]
    assert not handle
    with pytest.raises(DeviceError, match=r"^it is closed: make a new one$"):
        _ = handle.pointer


def test_it_is_destroyed_when_nobody_has_it_any_more() -> None:
    destroyed: list[int] = []
    handle = NativeHandle(7, destroyed.append, "closed")
    del handle
    gc.collect()
    assert destroyed == [7]


def test_what_was_never_made_is_not_destroyed() -> None:
    destroyed: list[int] = []
    handle = NativeHandle(None, destroyed.append, "closed")
    assert not handle
    handle.close()
    del handle
    gc.collect()
    assert destroyed == []
