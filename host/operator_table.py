"""The table of supported operators in the README, made from the rules themselves."""

import re

from celosia.generators.chassis.family import rule_text
from celosia.generators.families import FAMILIES

from .allocation import FITTING_RULE
from .layering.layers import BUILDERS
from .operator_rules import RULES, Rule
from .partition import HOST_KINDS

_FEW = 2
"""A rule of so many kinds is told with each of them, one of more for all together."""

_REFUSAL = re.compile(r"EngineRefusal: (.+?)\s*(?:\n\s*\n|$)", re.DOTALL)


def operator_table() -> str:
    """Markdown: every kind of operator, where it runs and what is asked of it; then the rules that many share."""
    shared = _shared_rules()
    rows = [
        f"| {kind} | {_place(kind)} | {_refusal(kind)} | {_own_rules(kind, shared)} |"
        for kind in sorted(RULES)
    ]
    return "\n".join(
        [
            "| operator | runs on | on the host if | rules of its own |",
            "|---|---|---|---|",
            *rows,
            "",
            "Rules that several operators share; a file that breaks any of these or of its own is refused:",
            "",
            *(f"- {text}: {', '.join(kinds)}." for text, kinds in shared.items()),
            "",
            "An operator that breaks one of these runs on the host:",
            "",
            *(f"- {rule_text(rule)}." for rule in FAMILIES[0].rules),
            f"- {FITTING_RULE}, all channels of the rows that a window covers.",
        ]
    )


def _shared_rules() -> dict[str, list[str]]:
    """Rules that more than `_FEW` kinds keep, in the order in which they are asked, and those kinds."""
    kinds: dict[str, list[str]] = {}
    for kind in sorted(RULES):
        for text in _rules(kind):
            kinds.setdefault(text, []).append(kind)
    return {text: found for text, found in kinds.items() if len(found) > _FEW}


def _place(kind: str) -> str:
    if kind in HOST_KINDS:
        return "host"
    return "engine" if kind in BUILDERS else "either: it moves no data"


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
