"""Files of arrays: what is right is read, anything else is one error that names file and array."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from celosia.host.arrays import load_cases, load_inputs, random_array, save_outputs
from celosia.host.errors import DataError
from celosia.host.graph import Tensor

IMAGE = Tensor("image", (1, 2, 3), "int8")
GAIN = Tensor("gain", (4,), "float32")
MUTATIONS = 300


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, IMAGE.shape).astype(np.int8)


def gain() -> np.ndarray:
    return np.linspace(0, 1, 4, dtype=np.float32)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.npz"
    arrays = {"b.in0": image(1), "b.out0": gain(), "a.x.in0": image(2), "a.x.out0": gain()}
    np.savez(path, allow_pickle=False, **arrays)
    return path


def test_cases_are_read_by_rising_name(cases: Path) -> None:
    first, second = load_cases(cases, [IMAGE], [GAIN])
    assert (first.name, second.name) == ("a.x", "b")
    np.testing.assert_array_equal(second.inputs[0], image(1))
    np.testing.assert_array_equal(second.outputs[0], gain())


def test_compressed_and_fortran_ordered_arrays_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.npz"
    value = np.asfortranarray(image())
    np.savez_compressed(path, allow_pickle=False, **{"a.in0": value, "a.out0": gain()})
    (case,) = load_cases(path, [IMAGE], [GAIN])
    np.testing.assert_array_equal(case.inputs[0], image())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a.in0": image()}, r"there is no 'a\.out0' \('gain'\) in it"),
        ({"a.in0": image(), "a.out0": gain().astype(np.float64)}, r"'a\.out0' must be float32, not float64"),
        ({"a.in0": image()[0], "a.out0": gain()}, r"'a\.in0' must have shape \(1, 2, 3\), not \(2, 3\)"),
        ({"a.in1": image()}, r"key 'a\.in1' must be NAME\.in0, NAME\.out0 for this network"),
        ({"image": image()}, r"key 'image' must be NAME\.in0"),
        ({}, r"there is no case in it: keys must be NAME\.in0"),
    ],
)
def test_cases_that_do_not_suit_the_network_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    path = tmp_path / "cases.npz"
    np.savez(path, allow_pickle=False, **arrays)
    with pytest.raises(DataError, match=rf"cases\.npz: {message}"):
        load_cases(path, [IMAGE], [GAIN])


def test_pickles_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.npz"
    pickled = {"a.in0": np.array([{}], object), "a.out0": gain()}
    np.savez(path, allow_pickle=True, **pickled)
    with pytest.raises(DataError, match=r"'a\.in0' must be int8, not object"):
        load_cases(path, [IMAGE], [GAIN])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cases.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cases\.npz: it is not a \.npz file, or it is damaged"):
        load_cases(path, [IMAGE], [GAIN])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.npz: it cannot be read: No such file"):
        load_cases(tmp_path / "missing.npz", [IMAGE], [GAIN])
    with pytest.raises(DataError, match="it cannot be read: Is a directory"):
        load_inputs(tmp_path, [IMAGE])


@pytest.mark.parametrize("compress", [False, True])
def test_mutated_archives_are_refused_or_read(cases: Path, compress: bool) -> None:
    arrays = {"a.in0": image(), "a.out0": gain()}
    (np.savez_compressed if compress else np.savez)(cases, allow_pickle=False, **arrays)
    content = cases.read_bytes()
    for seed in range(MUTATIONS):
        generator = np.random.default_rng(seed)
        damaged = bytearray(content)
        if seed % 4 == 0:
            del damaged[int(generator.integers(0, len(damaged))) :]
        else:
            for _ in range(int(generator.integers(1, 4))):
                damaged[int(generator.integers(0, len(damaged)))] = int(generator.integers(0, 256))
        cases.write_bytes(bytes(damaged))
        try:
            (case,) = load_cases(cases, [IMAGE], [GAIN])
        except DataError:
            continue
        assert (case.inputs[0].shape, case.outputs[0].shape) == (IMAGE.shape, GAIN.shape)


def test_a_header_that_claims_too_much_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "cases.npz"
    header = b"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 2, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.in0.npy", b"\x93NUMPY\x01\x00\x76\x00" + header)
        archive.writestr("a.out0.npy", b"")
    with pytest.raises(DataError, match=r"'a\.in0' is cut short"):
        load_cases(path, [IMAGE], [GAIN])


def test_inputs_come_from_one_array_or_by_name_or_by_place(tmp_path: Path) -> None:
    single, named = tmp_path / "one.npy", tmp_path / "two.npz"
    np.save(single, image())
    np.testing.assert_array_equal(load_inputs(single, [IMAGE])[0], image())
    np.savez(named, allow_pickle=False, image=image(), in1=gain())
    first, second = load_inputs(named, [IMAGE, GAIN])
    np.testing.assert_array_equal(first, image())
    np.testing.assert_array_equal(second, gain())


def test_inputs_that_do_not_suit_the_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.npy"
    np.save(path, image())
    with pytest.raises(DataError, match=r"must be a \.npz file with the 2 inputs of this network"):
        load_inputs(path, [IMAGE, GAIN])
    with pytest.raises(DataError, match="the array must be float32, not int8"):
        load_inputs(path, [GAIN])
    path.write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(DataError, match="the array is no NumPy array, or damaged"):
        load_inputs(path, [IMAGE])


def test_outputs_are_written_and_read_again(tmp_path: Path) -> None:
    save_outputs(tmp_path / "one.npy", [image()])
    np.testing.assert_array_equal(np.load(tmp_path / "one.npy"), image())
    save_outputs(tmp_path / "all.npz", [image(), gain()])
    with np.load(tmp_path / "all.npz") as arrays:
        np.testing.assert_array_equal(arrays["out1"], gain())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all.npz", "one.npy"]


def test_outputs_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a \.npy file holds one output, not 2: name it \*\.npz"):
        save_outputs(tmp_path / "two.npy", [image(), gain()])
    with pytest.raises(DataError, match=r"a file named \*\.npy or \*\.npz"):
        save_outputs(tmp_path / "one.txt", [image()])
    with pytest.raises(DataError, match="it cannot be written: No such file or directory"):
        save_outputs(tmp_path / "missing" / "one.npy", [image()])


def test_random_arrays_follow_from_their_seed() -> None:
    values = random_array(Tensor("x", (1000,), "int8"), [1, 0])
    np.testing.assert_array_equal(values, random_array(Tensor("x", (1000,), "int8"), [1, 0]))
    assert (values.dtype, values.min(), values.max()) == (np.int8, -128, 127)
    assert (values != random_array(Tensor("x", (1000,), "int8"), [2, 0])).any()
    assert random_array(GAIN, [1, 0]).dtype == np.float32
