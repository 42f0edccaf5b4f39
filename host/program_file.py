"""Programs as files: one self-describing file without pickles.

Layout: the magic bytes, the SHA-256 of everything after it, the length of a JSON header (8 bytes, little-endian), the
header, then the binary parts that the header refers to by index.
"""

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from celosia.generators.mac_engine.config import MacEngineConfig

from . import attributes as attribute_kinds
from .attributes import Attributes
from .errors import ModelError
from .graph import Graph, Operator, Quantization, Tensor
from .program import Binding, EngineSection, HostSection, Program, ProgramLayer

MAGIC = b"CELOSIA\x01"
_DIGEST_BYTES = hashlib.sha256().digest_size
_HEADER_START = len(MAGIC) + _DIGEST_BYTES + 8


class ProgramError(ModelError):
    """A program file that cannot be used."""


def is_program(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts like a program; False when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def save_program(program: Program, path: str | os.PathLike[str]) -> int:
    """Write `program` to `path`, whole or not at all; returns the file's size.

    Raises:
        ProgramError: the file cannot be written.
    """
    content = program_to_bytes(program)
    target = Path(path)
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=target.name, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise ProgramError(str(path), f"it cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return len(content)


def load_program(path: str | os.PathLike[str]) -> Program:
    """Read a program.

    Raises:
        ProgramError: the file cannot be read, is damaged, or was written by another version.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ProgramError(str(path), f"it cannot be read: {error.strerror}") from error
    return program_from_bytes(content, str(path))


class _Parts:
    """The binary parts of a file being written."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.ranges: list[tuple[int, int]] = []

    def add(self, part: bytes) -> int:
        self.ranges.append((len(self.content), len(part)))
        self.content += part
        return len(self.ranges) - 1


def program_to_bytes(program: Program) -> bytes:
    """The file's content."""
    parts = _Parts()
    header: dict[str, Any] = {
        "model": program.model,
        "config": dataclasses.asdict(program.config),
        "config_hash": f"{program.config.hash:016x}",
        "memory_latency": program.memory_latency,
        "memory_bytes_per_cycle": program.memory_bytes_per_cycle,
        "tensors": {str(index): _tensor_to_json(tensor, parts) for index, tensor in program.tensors.items()},
        "inputs": program.inputs,
        "outputs": program.outputs,
        "views": {str(index): tensor for index, tensor in program.views.items()},
        "sections": [_section_to_json(section, parts) for section in program.sections],
    }
    header["parts"] = parts.ranges
    text = json.dumps(header, sort_keys=True).encode()
    body = len(text).to_bytes(8, "little") + text + bytes(parts.content)
    return MAGIC + hashlib.sha256(body).digest() + body


def program_from_bytes(content: bytes, file: str) -> Program:
    """The program in a file's content; messages call it `file`.

    Raises:
        ProgramError: as `load_program`.
    """
    if content[: len(MAGIC) - 1] != MAGIC[:-1]:
        raise ProgramError(file, "it is not a Celosia program; write one with `celosia compile`")
    if content[: len(MAGIC)] != MAGIC:
        raise ProgramError(file, "it was written by another version; compile the model again")
    digest = content[len(MAGIC) : len(MAGIC) + _DIGEST_BYTES]
    body = content[len(MAGIC) + _DIGEST_BYTES :]
    if hashlib.sha256(body).digest() != digest:
        raise ProgramError(file, "it is damaged or cut short; compile the model again")
    length = int.from_bytes(body[:8], "little")
    try:
        header = json.loads(body[8 : 8 + length])
        data = body[8 + length :]
        parts = [data[start : start + size] for start, size in header["parts"]]
        config = MacEngineConfig(**header["config"])
        program = Program(
            model=header["model"],
            config=config,
            tensors={
                int(index): _tensor_from_json(entry, parts) for index, entry in header["tensors"].items()
            },
            inputs=tuple(header["inputs"]),
            outputs=tuple(header["outputs"]),
            views={int(index): tensor for index, tensor in header["views"].items()},
            sections=tuple(_section_from_json(entry, parts) for entry in header["sections"]),
            memory_latency=header["memory_latency"],
            memory_bytes_per_cycle=header["memory_bytes_per_cycle"],
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ProgramError(
            file, f"its header does not make sense ({error}); compile the model again"
        ) from error
    if header["config_hash"] != f"{config.hash:016x}":
        raise ProgramError(file, "it was compiled for another version of the engine; compile the model again")
    return program


def _tensor_to_json(tensor: Tensor, parts: _Parts) -> dict[str, Any]:
    quantization = tensor.quantization
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "quantization": None if quantization is None else dataclasses.asdict(quantization),
        "data": None if tensor.data is None else parts.add(tensor.data.tobytes()),
    }


def _tensor_from_json(entry: dict[str, Any], parts: list[bytes]) -> Tensor:
    shape = tuple(entry["shape"])
    quantization = entry["quantization"]
    data = None
    if entry["data"] is not None:
        data = np.frombuffer(parts[entry["data"]], entry["dtype"]).reshape(shape)
    return Tensor(
        entry["name"],
        shape,
        entry["dtype"],
        None
        if quantization is None
        else Quantization(
            tuple(quantization["scale"]), tuple(quantization["zero_point"]), quantization["axis"]
        ),
        data,
    )


def _graph_to_json(graph: Graph, parts: _Parts) -> dict[str, Any]:
    return {
        "name": graph.name,
        "file": graph.file,
        "tensors": [_tensor_to_json(tensor, parts) for tensor in graph.tensors],
        "operators": [
            {
                "kind": operator.kind,
                "index": operator.index,
                "inputs": operator.inputs,
                "outputs": operator.outputs,
                "attributes": [type(operator.attributes).__name__, dataclasses.asdict(operator.attributes)],
            }
            for operator in graph.operators
        ],
        "inputs": graph.inputs,
        "outputs": graph.outputs,
    }


def _attributes_from_json(name: str, values: dict[str, Any]) -> Attributes:
    kind = getattr(attribute_kinds, name)
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def _graph_from_json(entry: dict[str, Any], parts: list[bytes]) -> Graph:
    return Graph(
        name=entry["name"],
        file=entry["file"],
        tensors=tuple(_tensor_from_json(tensor, parts) for tensor in entry["tensors"]),
        operators=tuple(
            Operator(
                operator["kind"],
                operator["index"],
                tuple(operator["inputs"]),
                tuple(operator["outputs"]),
                _attributes_from_json(*operator["attributes"]),
            )
            for operator in entry["operators"]
        ),
        inputs=tuple(entry["inputs"]),
        outputs=tuple(entry["outputs"]),
    )


def _section_to_json(section: EngineSection | HostSection, parts: _Parts) -> dict[str, Any]:
    if isinstance(section, HostSection):
        return {
            "runs_on": "host",
            "graph": _graph_to_json(section.graph, parts),
            "inputs": section.inputs,
            "outputs": section.outputs,
            "reasons": section.reasons,
        }
    plain = dataclasses.asdict(section)
    return {**plain, "runs_on": "engine", "content": parts.add(section.content)}


def _section_from_json(entry: dict[str, Any], parts: list[bytes]) -> EngineSection | HostSection:
    if entry["runs_on"] == "host":
        return HostSection(
            graph=_graph_from_json(entry["graph"], parts),
            inputs=tuple(entry["inputs"]),
            outputs=tuple(entry["outputs"]),
            reasons=tuple(entry["reasons"]),
        )
    values = {key: value for key, value in entry.items() if key != "runs_on"}
    return EngineSection(
        **{
            **values,
            "content": parts[entry["content"]],
            "inputs": tuple(Binding(**binding) for binding in entry["inputs"]),
            "outputs": tuple(Binding(**binding) for binding in entry["outputs"]),
            "layers": tuple(ProgramLayer(**layer) for layer in entry["layers"]),
        }
    )
