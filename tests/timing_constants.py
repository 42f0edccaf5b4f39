"""Which times a cycle model reads, and whether predictions notice that one is another, for tests of all families."""

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import TypeVar

from celosia.generators.chassis.prediction import Prediction

__all__ = ["latencies", "latencies_in", "short_name", "some_differ"]

SUFFIXES = ("CYCLE", "CYCLES", "DELAY", "LATENCY", "VISIT")
"""What names of constants that are times end with; others are sizes of queues, or of what is moved."""

Case = TypeVar("Case")


def latencies(module: ModuleType, hidden: Collection[str] = ()) -> list[tuple[ModuleType, str]]:
    """Times that the functions of `module` read, but for those called as in `hidden`."""
    used = set(_names_used(compile(inspect.getsource(module), module.__name__, "exec")))
    return [(module, name) for name in sorted(used - set(hidden)) if _is_time(module, name)]


def latencies_in(function: FunctionType) -> list[tuple[ModuleType, str]]:
    """Times that one function reads, which stands beside gateware that the model does not run."""
    module = inspect.getmodule(function)
    assert module is not None
    return [(module, name) for name in function.__code__.co_names if _is_time(module, name)]


def short_name(value: object) -> str | None:
    """The last part of a module's name, for the names of tests."""
    return value.__name__.rsplit(".", 1)[-1] if isinstance(value, ModuleType) else None


def some_differ(
    cases: Iterable[Case], now: Callable[[Case], Prediction], before: Callable[[Case], Prediction]
) -> bool:
    """Whether some case is predicted otherwise than `before`, or not at all."""
    for case in cases:
        expected = before(case)
        try:
            if now(case) != expected:
                return True
        except (ArithmeticError, AssertionError, LookupError, ValueError):
            return True
    return False


def _names_used(code: CodeType) -> Iterator[str]:
    """Names that are looked up when functions run, not when the module is imported."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from constant.co_names
            yield from _names_used(constant)


def _is_time(module: ModuleType, name: str) -> bool:
    return name.isupper() and name.endswith(SUFFIXES) and isinstance(vars(module).get(name), int)
