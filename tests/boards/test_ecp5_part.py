"""What does not fit is refused before it is routed."""

import pytest

from celosia.boards.ecp5_part import LFE5U_85F, require_fit
from celosia.boards.errors import BuildError


def test_all_of_a_device_may_be_used() -> None:
    require_fit(LFE5U_85F, multipliers=156, block_rams=208)


@pytest.mark.parametrize(
    ("multipliers", "block_rams", "message"),
    [(157, 0, "has 156 MULT18X18D, 1 fewer"), (0, 218, "has 208 DP16KD, 10 fewer")],
)
def test_more_is_refused_by_how_much_of_what(multipliers: int, block_rams: int, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        require_fit(LFE5U_85F, multipliers=multipliers, block_rams=block_rams)
