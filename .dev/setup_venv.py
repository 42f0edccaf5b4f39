"""Make `.venv` hold exactly what a lock file names, and this project itself, ready to import.

    python3 .dev/setup_venv.py requirements/test.lock

Needs nothing but Python's standard library (with `ensurepip`). Calling it again costs milliseconds when
nothing has changed. A set-up that was interrupted, by whatever and wherever, is started afresh by the next
call; two calls at once take turns.
"""

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STATE = ENVIRONMENT / "celosia-setup.json"  # what has been installed; absent while an installation runs


def digest(lock: Path) -> str:
    """Fingerprint what an installation from `lock` depends on: the pins, the build configuration, the Python."""
    parts = [lock.read_bytes(), (REPOSITORY / "pyproject.toml").read_bytes(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_state() -> dict[str, str] | None:
    """Return the digests of the locks installed, by name; None if there is no complete environment."""
    try:
        state = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) and PYTHON.exists() else None


def pip_install(*arguments: str) -> None:
    """Run the environment's pip; stop if it fails.

    pip inherits the lock, and so keeps the next call waiting should this process alone be killed.
    """
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    result = subprocess.run(command, cwd=REPOSITORY, check=False, close_fds=False)
    if result.returncode:
        sys.exit(
            f"setup_venv: pip failed (exit code {result.returncode}), see above; the next call starts afresh"
        )


def install(lock: Path) -> None:
    """Bring the environment to the state that `lock` asks for."""
    name, wanted = lock.name, digest(lock)
    state = read_state()
    if state is not None and state.get(name) == wanted:
        return
    started = time.monotonic()
    print(f"setting up {ENVIRONMENT.name} from {lock.relative_to(REPOSITORY)} ...", flush=True)
    if state is None:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        state = {}
    STATE.unlink(missing_ok=True)
    pip_install("--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))
    # The build backend is among the pins: without isolation nothing that is not pinned is downloaded.
    pip_install("--no-deps", "--no-build-isolation", "--editable", str(REPOSITORY))
    written = STATE.with_suffix(".new")
    written.write_text(json.dumps(state | {name: wanted}))
    written.replace(STATE)
    print(f"{ENVIRONMENT.name} is ready ({time.monotonic() - started:.0f} s)", flush=True)


def main() -> None:
    """Parse the command line and install, one call at a time."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lock", type=Path, help="the lock file, for instance requirements/test.lock")
    lock = parser.parse_args().lock.resolve()
    if not lock.is_file():
        parser.error(f"{lock} is not a file; the lock files lie in {REPOSITORY / 'requirements'}")
    with (REPOSITORY / ".dev" / "setup_venv.lock").open("w") as turn:
        os.set_inheritable(turn.fileno(), True)
        fcntl.flock(turn, fcntl.LOCK_EX)
        install(lock)


if __name__ == "__main__":
    main()
