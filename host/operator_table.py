"""The table of supported operators in the README, made from the rules themselves."""

import re
from typing import Any

from celosia.generators.chassis.family import Family, rule_text
from celosia.generators.families import FAMILIES

from .allocation import FITTING_RULE
from .int16_rules import INT16_RULES
from .layering.layers import BUILDERS
from .operator_rules import RULES, Rule
from .operator_samples import operator_sample
from .partition import partition

_FEW = 2
"""A rule of so many kinds is told with each of them, one of more for all together."""

_REFUSAL = re.compile(r"EngineRefusal: (.+?)\s*(?:\n\s*\n|$)", re.DOTALL)


def operator_table() -> str:
    """Markdown: every kind of operator, where it runs on each family and what is asked of it; then the rules that many
    share, and those of each family.
    """
    shared = _shared_rules()
    columns = " | ".join(family.command_name for family in FAMILIES)
    rows = [
        f"| {kind} | {_places(kind)} | {_refusal(kind)} | {_own_rules(kind, shared)} |"
        for kind in sorted(RULES)
    ]
    return "\n".join(
        [
            f"| operator | {columns} | on the host if | rules of its own |",
            "|---" * (3 + len(FAMILIES)) + "|",
            *rows,
            "",
            "Rules that several operators share; a file that breaks any of these or of its own is refused:",
            "",
            *(f"- {text}: {', '.join(kinds)}." for text, kinds in shared.items()),
            "",
            "With int16 activations, on a systolic engine with `int16` or on the host, the rules are instead:",
            "",
            *(f"- {text}: {', '.join(kinds)}." for text, kinds in _int16_rules().items()),
            "",
            *(line for family in FAMILIES for line in (*_family_rules(family), "")),
        ][:-1]
    )


def _shared_rules() -> dict[str, list[str]]:
    """Rules that more than `_FEW` kinds keep, in the order in which they are asked, and those kinds."""
    kinds: dict[str, list[str]] = {}
    for kind in sorted(RULES):
        for text in _rules(kind):
            kinds.setdefault(text, []).append(kind)
    return {text: found for text, found in kinds.items() if len(found) > _FEW}


def _int16_rules() -> dict[str, list[str]]:
    """Rules of TensorFlow Lite's operators of int16, and the kinds that keep them."""
    kinds: dict[str, list[str]] = {}
    for kind in sorted(INT16_RULES.keys() & RULES.keys()):
        for rule in (rule for group in INT16_RULES[kind] for rule in group):
            kinds.setdefault(rule.__doc__ or "", []).append(kind)
    return kinds


def _family_rules(family: Family[Any]) -> list[str]:
    return [
        f"On {family.command_name} (after {family.follows}), an operator that breaks one of these runs on the host:",
        "",
        *(f"- {rule_text(rule)}." for rule in family.rules),
        f"- {FITTING_RULE}, all channels of the rows that a window covers.",
    ]


def _places(kind: str) -> str:
    """A column for each family."""
    return " | ".join(_place(kind, family) for family in FAMILIES)


def _place(kind: str, family: Family[Any]) -> str:
    """Where an ordinary operator of the kind runs."""
    (assignment,) = partition(operator_sample(kind), family.presets[family.default_preset]).assignments
    if not assignment.on_engine:
        return "host"
    return "engine" if assignment.layers else "either: it moves no data"


def _refusal(kind: str) -> str:
    """What the builder of the kind's layers says that it refuses."""
    if kind not in BUILDERS:
        return ""
    found = _REFUSAL.search(BUILDERS[kind][0].__doc__ or "")
    return " ".join(found.group(1).split()).rstrip(".") if found else ""


def _own_rules(kind: str, shared: dict[str, list[str]]) -> str:
    return "; ".join(text for text in _rules(kind) if text not in shared)


def _rules(kind: str) -> list[str]:
    return [_text(rule) for group in RULES[kind] for rule in group]


def _text(rule: Rule) -> str:
    return " ".join((rule.__doc__ or "").split())
