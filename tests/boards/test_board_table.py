"""The table of boards in the documentation."""

from celosia.boards.board import BOARDS
from celosia.boards.board_table import board_table


def test_every_board_has_a_line_of_as_many_cells_as_the_head() -> None:
    head, _, *lines = board_table().splitlines()
    assert len(lines) == len(BOARDS)
    for line, board in zip(lines, BOARDS.values(), strict=True):
        assert line.count("|") == head.count("|")
        assert all(
            text in line for text in (f"`{board.name}`", board.part.name, str(board.memory), board.link)
        )


def test_a_clock_is_named_where_no_route_decides() -> None:
    lines = {line.split("`")[1]: line for line in board_table().splitlines() if "`" in line}
    assert "| 60 MHz |" in lines["arty_a7_100t"]
    assert "| what is reached |" in lines["ulx3s_85f"]
