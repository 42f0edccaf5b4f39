"""docs/programming.md says what the register map says."""

from pathlib import Path

from celosia.generators.chassis.register_map import MAGIC_VALUE, ErrorCode, markdown_table

MANUAL = Path("docs") / "programming.md"


def test_the_register_table_is_the_register_map(repository: Path) -> None:
    manual = (repository / MANUAL).read_text()
    table = manual.split("<!-- registers:begin -->\n")[1].split("<!-- registers:end -->")[0]
    assert table.strip() == markdown_table(), (
        f"replace the table in {MANUAL} by register_map.markdown_table()"
    )


def test_every_error_code_is_explained(repository: Path) -> None:
    manual = (repository / MANUAL).read_text()
    for code in ErrorCode:
        if code is not ErrorCode.NONE:
            assert f"| {code.value} | {code.name} | " in manual


def test_the_magic_is_right(repository: Path) -> None:
    assert f"0x{MAGIC_VALUE:08X}" in (repository / MANUAL).read_text()
