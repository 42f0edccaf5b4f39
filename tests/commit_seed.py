"""The seed of tests that check something else after every commit."""

import os
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["commit_seed"]


@cache
def commit_seed() -> str:
    """The commit's hash; the environment variable `CELOSIA_SEED` replays another's."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return os.environ.get("CELOSIA_SEED") or found.stdout.strip() or "no commit"
