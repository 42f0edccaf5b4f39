"""JSON values as dataclasses, every type checked on the way."""

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")


def from_plain(kind: type[_Value], value: Any, where: str = "") -> _Value:
    """`value`, as `json.loads` gives it, as the type `kind`: dataclasses, tuples, dicts, unions, literals and scalars.

    Raises:
        TypeError: a part has another type, lacks a field or has one too many; the message names its path, which
            starts with `where`.
        ValueError: a dataclass refuses its values.
    """
    return _converter(kind)(kind, value, where)


def _converter(kind: Any) -> Callable[[Any, Any, str], Any]:
    origin = get_origin(kind)
    if kind is Any:
        return lambda kind, value, where: value
    if origin in (Union, types.UnionType):
        return _union
    if is_dataclass(kind):
        return _dataclass
    if origin is Literal:
        return _literal
    return {tuple: _tuple, dict: _dict}.get(origin, _scalar)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    accepted = {float: (int, float), types.NoneType: (types.NoneType,)}.get(kind, (kind,))
    if type(value) not in accepted:
        raise _mismatch(where, getattr(kind, "__name__", str(kind)), value)
    return value


def _literal(kind: Any, value: Any, where: str) -> Any:
    if value not in get_args(kind):
        raise _mismatch(where, f"one of {', '.join(map(str, get_args(kind)))}", value)
    return value


def _tuple(kind: Any, value: Any, where: str) -> Any:
    kinds = get_args(kind)
    if not isinstance(value, list):
        raise _mismatch(where, "a list", value)
    if kinds[1:] == (...,):
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise _mismatch(where, f"a list of {len(kinds)}", value)
    return tuple(
        from_plain(entry_kind, entry, f"{where}[{place}]")
        for place, (entry_kind, entry) in enumerate(zip(kinds, value, strict=True))
    )


def _dict(kind: Any, value: Any, where: str) -> Any:
    """JSON knows only text as keys; integers are written in it."""
    key_kind, entry_kind = get_args(kind)
    if not isinstance(value, dict):
        raise _mismatch(where, "an object", value)
    return {
        (int(key) if key_kind is int else key): from_plain(entry_kind, entry, f"{where}.{key}")
        for key, entry in value.items()
    }


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(where, "an object", value)
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in fields(kind)}
    missing = [name for name, entry in known.items() if name not in value and entry.default is MISSING]
    wrong = sorted(set(value) - set(known)) or missing
    if wrong:
        raise TypeError(
            f"{where or 'it'} must have the fields {', '.join(known)}; {wrong[0]!r} is wrong or missing"
        )
    return kind(**{name: from_plain(hints[name], entry, f"{where}.{name}") for name, entry in value.items()})


def _union(kind: Any, value: Any, where: str) -> Any:
    """None or the type, or of several dataclasses the one that has just these fields."""
    options = get_args(kind)
    if value is None and types.NoneType in options:
        return None
    options = [option for option in options if option is not types.NoneType]
    if isinstance(value, dict) and len(options) > 1:
        names = [{entry.name for entry in fields(option)} for option in options]
        options = [option for option, known in zip(options, names, strict=True) if known == set(value)]
    if len(options) != 1:
        raise _mismatch(where, str(kind), value)
    return from_plain(options[0], value, where)


def _mismatch(where: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"{where.lstrip('.') or 'it'} must be {expected}, not {value!r:.60}")
