"""Program files: what is written is read again, and what is damaged is refused or right."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.prediction import with_predictions
from celosia.host.program import EngineSection, Program
from celosia.host.program_file import (
    MAGIC,
    ProgramError,
    is_program,
    load_program,
    program_from_bytes,
    program_to_bytes,
    save_program,
)
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.host.models import mixed_graph
from tests.interpreter_device import InterpreterDevice

CONFIG = PRESETS["u55-128"]
MUTATIONS = 500
HEADER_MUTATIONS = 300


@pytest.fixture(scope="module")
def program() -> Program:
    return with_predictions(compile_graph(mixed_graph(), CONFIG), MemoryModel())


@pytest.fixture(scope="module")
def content(program: Program) -> bytes:
    return program_to_bytes(program)


def image() -> np.ndarray:
    return np.random.default_rng(0).integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)


def outputs_of(program: Program) -> list[np.ndarray]:
    values = Runtime(program, InterpreterDevice(program.config)).run([image()])
    return [values[index] for index in program.outputs]


def test_a_program_survives_the_file(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "mixed.celosia"
    assert save_program(program, path) == path.stat().st_size
    loaded = load_program(path)
    for entry in dataclasses.fields(EngineSection):
        for written, read in zip(program.engine_sections, loaded.engine_sections, strict=True):
            assert getattr(read, entry.name) == getattr(written, entry.name)
    assert loaded.config == program.config
    assert (loaded.inputs, loaded.outputs, loaded.views) == (program.inputs, program.outputs, program.views)
    np.testing.assert_array_equal(outputs_of(loaded)[0], run_graph(mixed_graph(), [image()])[0])


def test_the_same_program_gives_the_same_bytes(program: Program, content: bytes) -> None:
    assert program_to_bytes(program) == content


def test_program_files_are_told_from_others(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert is_program(path)
    path.write_bytes(MAGIC[:-1] + b"\x63")
    assert is_program(path)
    path.write_bytes(b"TFL3")
    assert not is_program(path)
    assert not is_program(tmp_path / "missing")


def test_writing_replaces_the_file_whole_or_not_at_all(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mixed.celosia"
    path.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ProgramError, match=r"mixed.celosia: it cannot be written: No space left on device"):
        save_program(program, path)
    assert path.read_bytes() == b"before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["mixed.celosia"]


def test_a_place_that_does_not_exist_is_named(program: Program, tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="it cannot be written: No such file or directory"):
        save_program(program, tmp_path / "missing" / "file")
    with pytest.raises(ProgramError, match="it cannot be read: No such file or directory"):
        load_program(tmp_path / "missing")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "it is not a Celosia program; write one with `celosia compile`"),
        (lambda content: b"TFL3" + content[4:], "it is not a Celosia program"),
        (lambda content: MAGIC[:-1] + b"\x63" + content[len(MAGIC) :], "it was written by another version"),
        (lambda content: content[:-1], "it is damaged or cut short; compile the model again"),
        (lambda content: content + b"\0", "it is damaged or cut short"),
        (lambda content: content[: len(MAGIC)], "it is damaged or cut short"),
    ],
)
def test_what_is_no_whole_program_is_refused(content: bytes, damage, message: str) -> None:
    with pytest.raises(ProgramError, match=f"file: {message}"):
        program_from_bytes(damage(content), "file")


@pytest.mark.parametrize("first", range(0, MUTATIONS, 100))
def test_mutated_files_are_refused_or_right(content: bytes, first: int) -> None:
    expected = run_graph(mixed_graph(), [image()])[0]
    for seed in range(first, first + 100):
        generator = np.random.default_rng(seed)
        damaged = bytearray(content)
        if seed % 3 == 0:
            del damaged[int(generator.integers(0, len(content))) :]
        else:
            for _ in range(int(generator.integers(1, 5))):
                damaged[int(generator.integers(0, len(damaged)))] ^= int(generator.integers(1, 256))
        try:
            program = program_from_bytes(bytes(damaged), "file")
        except ProgramError:
            continue
        np.testing.assert_array_equal(outputs_of(program)[0], expected, err_msg=f"seed {seed}")


def test_headers_that_make_no_sense_are_refused(content: bytes) -> None:
    """Files that were changed and signed again: whatever the header says, the end is a program or a ProgramError."""
    start = len(MAGIC) + hashlib.sha256().digest_size
    length = int.from_bytes(content[start : start + 8], "little")
    header = json.loads(content[start + 8 : start + 8 + length])
    refused = 0
    for seed in range(HEADER_MUTATIONS):
        changed = json.dumps(_changed(header, np.random.default_rng(seed))).encode()
        body = len(changed).to_bytes(8, "little") + changed + content[start + 8 + length :]
        try:
            program_from_bytes(MAGIC + hashlib.sha256(body).digest() + body, "file")
        except ProgramError:
            refused += 1
    assert refused > HEADER_MUTATIONS // 2


def test_a_program_for_a_family_that_is_not_there_is_refused(content: bytes) -> None:
    start = len(MAGIC) + hashlib.sha256().digest_size
    length = int.from_bytes(content[start : start + 8], "little")
    header = json.loads(content[start + 8 : start + 8 + length])
    assert header["family"] == CONFIG.family
    changed = json.dumps({**header, "family": "abacus"}).encode()
    body = len(changed).to_bytes(8, "little") + changed + content[start + 8 + length :]
    with pytest.raises(ProgramError, match=r"family must be one of mac-engine.*, not 'abacus'"):
        program_from_bytes(MAGIC + hashlib.sha256(body).digest() + body, "file")


def _changed(value: object, generator: np.random.Generator) -> object:
    """A copy of a JSON value with one leaf, entry or key changed."""
    if isinstance(value, dict) and value and generator.random() < 0.95:
        key = list(value)[generator.integers(len(value))]
        if generator.random() < 0.1:
            return {name: entry for name, entry in value.items() if name != key}
        return {**value, key: _changed(value[key], generator)}
    if isinstance(value, list) and value and generator.random() < 0.95:
        place = int(generator.integers(len(value)))
        if generator.random() < 0.1:
            return value[:place] + value[place + 1 :]
        return [*value[:place], _changed(value[place], generator), *value[place + 1 :]]
    choices = [None, -1, 0, 1, 7, 1 << 40, -0.5, "", "x", [], {}, True, [1, 2], float("nan")]
    return choices[generator.integers(len(choices))]
