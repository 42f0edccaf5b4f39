"""The build cache: whole entries or none, whatever happens to the processes that fill it."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.errors import CacheError

# Builds an entry in two files, slowly, and says on the way that it has begun.
SLOW_BUILD = """
import sys, time
from pathlib import Path
from celosia.sim.cache import cached

def build(workspace):
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    (workspace / "first").write_text("1")
    print("half", flush=True)
    time.sleep(float(sys.argv[3]))
    (workspace / "second").write_text("2")

print(cached(Path(sys.argv[1]), "key", build), flush=True)
"""


def slow_build(cache: Path, log: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW_BUILD, str(cache), str(log), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def build_one_file(workspace: Path) -> None:
    (workspace / "product").write_text("made")


def refuse_to_build(workspace: Path) -> None:
    raise AssertionError("built again")


def test_an_entry_is_built_once(tmp_path):
    entry = cached(tmp_path, "key", build_one_file)
    assert cached(tmp_path, "key", refuse_to_build) == entry
    assert (entry / "product").read_text() == "made"


def test_the_directory_is_made(tmp_path):
    assert cached(tmp_path / "a" / "b", "key", build_one_file).exists()


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_build_leaves_the_next_one_right(tmp_path, killer):
    first = slow_build(tmp_path / "cache", tmp_path / "log", seconds=60)
    assert first.stdout is not None
    assert first.stdout.readline() == "half\n"
    first.send_signal(killer)
    assert first.wait(timeout=20) != 0
    first.communicate()
    entry = cached(tmp_path / "cache", "key", build_one_file)
    assert {path.name for path in entry.iterdir()} == {"product", "manifest.json"}
    visible = [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert visible == ["key"], "nothing of the killed build remains"


def test_two_processes_build_once(tmp_path):
    processes = [slow_build(tmp_path / "cache", tmp_path / "log", seconds=1) for _ in range(2)]
    entries = {process.communicate(timeout=60)[0].splitlines()[-1] for process in processes}
    assert entries == {str(tmp_path / "cache" / "key")}
    assert (tmp_path / "log").read_text() == "built\n"


def test_a_failed_build_leaves_nothing(tmp_path):
    def fail(workspace: Path) -> None:
        build_one_file(workspace)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, "key", fail)
    assert not any(path.is_dir() for path in tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["truncate", "change", "remove", "manifest"])
def test_a_damaged_entry_is_rebuilt(tmp_path, damage):
    entry = cached(tmp_path, "key", build_one_file)
    match damage:
        case "truncate":
            os.truncate(entry / "product", 0)
        case "change":
            (entry / "product").write_text("Made")
        case "remove":
            (entry / "product").unlink()
        case "manifest":
            (entry / "manifest.json").write_text('{"prod')
    assert (cached(tmp_path, "key", build_one_file) / "product").read_text() == "made"


def test_a_full_disk_is_named_with_the_remedy(tmp_path):
    def fill_the_disk(workspace: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(workspace))

    with pytest.raises(CacheError, match=r"No space left on device.*free some space.*XDG_CACHE_HOME"):
        cached(tmp_path, "key", fill_the_disk)
    assert cached(tmp_path, "key", build_one_file).exists(), "the next run is right"


def test_a_directory_that_cannot_be_made_is_named_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"cannot build in the cache .*/file/cache: .*XDG_CACHE_HOME"):
        cached(tmp_path / "file" / "cache", "key", build_one_file)


def test_an_entry_is_found_where_nothing_can_be_written(tmp_path, monkeypatch):
    cached(tmp_path, "key", build_one_file)

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    # A superuser may write to any directory, so the refusal is made rather than set up with permissions.
    for name in ("mkdir", "open", "rename", "replace", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    assert cached(tmp_path, "key", refuse_to_build).exists()
    with pytest.raises(CacheError, match="Permission denied"):
        cached(tmp_path, "other", build_one_file)


def test_keys_differ_when_parts_do():
    keys = [content_key(parts) for parts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], [b"abc", "x"])]
    assert len(set(keys)) == len(keys)
    assert content_key(["abc"]) == content_key([b"abc"])


def test_the_default_directory_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_directory() == tmp_path / "celosia"


def test_an_entry_appears_only_when_complete(tmp_path):
    process = slow_build(tmp_path, tmp_path / "log", seconds=0.5)
    assert process.stdout is not None
    process.stdout.readline()
    while process.poll() is None:
        if (tmp_path / "key").exists():
            assert (tmp_path / "key" / "manifest.json").exists()
        time.sleep(0.01)
    process.communicate()
    assert (tmp_path / "key" / "second").read_text() == "2"
