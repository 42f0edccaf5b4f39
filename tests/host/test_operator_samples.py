"""There is a sample of every kind of operator, and it can run."""

import pytest

from celosia.host.operator_rules import RULES, broken_rules
from celosia.host.operator_samples import operator_sample


@pytest.mark.parametrize("kind", RULES)
def test_a_sample_is_one_operator_of_its_kind(kind: str) -> None:
    graph = operator_sample(kind)
    (operator,) = graph.operators
    assert operator.kind == kind
    assert broken_rules(graph.bind(operator)) == []


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kind must be one of ADD, .*, not 'GATHER'"):
        operator_sample("GATHER")
