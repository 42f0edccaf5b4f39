"""What does not fit is refused before it is routed."""

import pytest

from celosia.boards.ecp5_part import LFE5U_85F
from celosia.boards.errors import FitError
from celosia.boards.part import require_fit


def test_all_of_a_device_may_be_used() -> None:
    require_fit(LFE5U_85F, multipliers=156, block_rams=208, luts=83640)


@pytest.mark.parametrize(
    ("multipliers", "block_rams", "luts", "message"),
    [
        (157, 0, 0, "does not fit LFE5U-85F: 1 MULT18X18D too few"),
        (0, 218, 0, "10 DP16KD too few"),
        (0, 0, 84640, "1,000 LUT4 too few"),
        (157, 209, 83641, "1 MULT18X18D too few, 1 DP16KD too few, 1 LUT4 too few"),
    ],
)
def test_more_is_refused_by_how_much_of_what(
    multipliers: int, block_rams: int, luts: int, message: str
) -> None:
    with pytest.raises(FitError, match=message):
        require_fit(LFE5U_85F, multipliers=multipliers, block_rams=block_rams, luts=luts)
