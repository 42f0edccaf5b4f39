"""The package as users get it: what it holds, what it is installed from, and who may import whom."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker

import celosia

FLOORS = {
    "hdl": {"hdl"},
    "generators": {"hdl", "generators"},
    "sim": {"hdl", "generators", "sim"},
    "boards": {"hdl", "generators", "boards"},
    "host": {"hdl", "generators", "sim", "boards", "host"},
}
LOCKS = ["runtime", "test"]
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.*?))? \\$", re.MULTILINE)


def imported_modules(file: Path, module: str) -> Iterator[str]:
    """Every module that `file`, known as `module`, imports: absolute names, relative imports resolved."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def climbing_imports(folder: Path, allowed: set[str]) -> list[str]:
    """Imports of a floor that is not among the `allowed` ones, as 'file imports module'."""
    found = []
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(folder.parent).with_suffix("")
        for imported in imported_modules(file, ".".join(["celosia", *path.parts])):
            package, *rest = imported.split(".")
            if package in FLOORS or (package == "celosia" and (not rest or rest[0] not in allowed)):
                found.append(f"{file.relative_to(folder.parent)} imports {imported}")
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_no_import_climbs(repository: Path, floor: str) -> None:
    assert climbing_imports(repository / floor, FLOORS[floor]) == []


@pytest.mark.parametrize(
    "line",
    [
        "import celosia.host",
        "from celosia import host",
        "from celosia.host.graph import Graph",
        "from ..host import graph",
        "import host",
        "from celosia import InferenceSession",
    ],
)
def test_a_climbing_import_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "hdl").mkdir()
    (tmp_path / "hdl" / "bad.py").write_text(line)
    assert len(climbing_imports(tmp_path / "hdl", FLOORS["hdl"])) == 1


@pytest.mark.parametrize(
    "line", ["from . import bits", "from .bits import f", "import celosia.hdl", "import re"]
)
def test_an_import_of_the_own_floor_is_allowed(tmp_path: Path, line: str) -> None:
    (tmp_path / "hdl").mkdir()
    (tmp_path / "hdl" / "good.py").write_text(line)
    assert climbing_imports(tmp_path / "hdl", FLOORS["hdl"]) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_installed_versions_are_the_pinned_ones(repository: Path, lock: str) -> None:
    text = (repository / "requirements" / f"{lock}.lock").read_text()
    pins = {
        pin["name"]: pin["version"]
        for pin in PIN.finditer(text)
        if pin["marker"] is None or Marker(pin["marker"]).evaluate()
    }
    assert len(pins) > 20
    assert {name: importlib.metadata.version(name) for name in pins} == pins


@pytest.mark.parametrize("lock", [*LOCKS, "fpga"])
def test_every_pin_has_a_hash_and_no_place_is_named(repository: Path, lock: str) -> None:
    text = (repository / "requirements" / f"{lock}.lock").read_text()
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) == len(PIN.findall(text))
    assert all(
        re.search(rf"^{re.escape(line)}\n +--hash=sha256:", text, re.MULTILINE) for line in requirements
    )
    assert not re.search(r"://|--index-url|--extra-index-url|--find-links", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_declared_dependency_is_pinned(repository: Path, lock: str) -> None:
    text = (repository / "requirements" / f"{lock}.lock").read_text()
    pinned = {pin["name"].lower().replace("_", "-") for pin in PIN.finditer(text)}
    declared = importlib.metadata.requires("celosia") or []
    wanted = {
        re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")
        for requirement in declared
        if "extra ==" not in requirement or (lock == "test" and re.search(r"extra == .test.", requirement))
    }
    assert wanted <= pinned


def test_the_tests_run_on_the_checkout_itself(repository: Path) -> None:
    assert celosia.__file__ == str(repository / ".dev" / "celosia" / "__init__.py")


def test_importing_the_package_does_not_import_the_host() -> None:
    program = (
        "import sys, celosia.hdl; sys.exit(any(name.startswith('celosia.host') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_unknown_name_is_refused_by_name() -> None:
    name = "InferenceSesion"
    with pytest.raises(AttributeError, match=f"'{name}'; it offers .*InferenceSession"):
        getattr(celosia, name)


@pytest.mark.parametrize("name", celosia.__all__)
def test_public_names_are_handed_on(name: str) -> None:
    assert getattr(celosia, name).__name__ == name
    assert name in dir(celosia)


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, as an installation from source does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run([*build, "--target", "sdist"], cwd=repository, check=True, capture_output=True)
    (sdist,) = folder.glob("*.tar.gz")
    subprocess.run(
        [sys.executable, "-m", "tarfile", "-e", str(sdist), str(folder)], check=True, capture_output=True
    )
    source = folder / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*build, "--target", "wheel"], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_every_source_file_under_the_import_name(repository: Path, wheel: Path) -> None:
    sources = {
        f"celosia/{file.relative_to(repository)}"
        for floor in FLOORS
        for file in (repository / floor).rglob("*")
        if file.suffix in {".py", ".cpp", ".h", ".vlt", ".v"}
    }
    assert "celosia/sim/harness.cpp" in sources
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held >= sources | {"celosia/__init__.py"}
    assert all(name.startswith("celosia/") and not name.endswith("ruff.toml") for name in held)


def test_the_wheel_imports_from_where_it_is(wheel: Path) -> None:
    program = "import celosia.hdl, sys; sys.exit(celosia.__file__ != sys.argv[1] + '/celosia/__init__.py')"
    command = [sys.executable, "-c", program, str(wheel)]
    result = subprocess.run(command, env={"PYTHONPATH": str(wheel)}, cwd=wheel.parent, check=False)
    assert result.returncode == 0
