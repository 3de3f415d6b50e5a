from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import InstallationError
from sayso.models import locate
from sayso.models.weights import map_bytes, read_weights


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def nested(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def whole(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def tensor(name: str, dims: tuple[int, ...], raw: bytes, kind: int = 1) -> bytes:
    sizes = b"".join(whole(1, size) for size in dims)
    return nested(5, sizes + whole(2, kind) + nested(8, name.encode()) + nested(9, raw))


def write(folder: Path, *tensors: bytes, more: bytes = b"") -> Path:
    path = folder / "model.onnx"
    path.write_bytes(whole(1, 8) + more + nested(7, nested(2, b"graph") + b"".join(tensors)))
    return path


def test_arrays_come_by_name_and_shape(tmp_path: Path) -> None:
    numbers = np.arange(6, dtype=np.float32)
    path = write(
        tmp_path, tensor("a", (2, 3), numbers.tobytes()), tensor("b", (), numbers[4:5].tobytes())
    )
    weights = read_weights(path)
    assert list(weights) == ["a", "b"]
    assert weights["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["b"] == 4
    assert weights["a"].dtype == np.float32


def test_other_kinds_are_passed_over(tmp_path: Path) -> None:
    other = tensor("whole", (1,), bytes(8), kind=7)
    short = tensor("short", (5,), bytes(4))
    path = write(tmp_path, other, short, tensor("a", (1,), bytes(4)))
    assert list(read_weights(path)) == ["a"]


def test_fields_of_every_wire_type_are_passed_over(tmp_path: Path) -> None:
    fixed = varint(30 << 3 | 1) + bytes(8) + varint(31 << 3 | 5) + bytes(4)
    assert list(read_weights(write(tmp_path, tensor("a", (1,), bytes(4)), more=fixed))) == ["a"]


def test_the_bundled_detector_can_be_read() -> None:
    weights = read_weights(locate("silero-vad.onnx"))
    assert weights["model.encoder.0.reparam_conv.weight"].shape == (128, 129, 3)
    assert all(np.isfinite(array).all() for array in weights.values())


@pytest.mark.parametrize("content", [b"\x0b", b"\x3a\x7f", b"\xff", b"\x09\x00"])
def test_what_is_no_onnx_file_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(InstallationError, match=r"broken\.onnx cannot be read"):
        read_weights(path)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="cannot be read"):
        read_weights(tmp_path / "none.onnx")


@given(st.binary(max_size=200))
def test_rubbish_never_ends_in_anything_else(rubbish: bytes) -> None:
    with TemporaryDirectory() as folder, suppress(InstallationError):
        path = Path(folder) / "rubbish.onnx"
        path.write_bytes(rubbish)
        assert isinstance(read_weights(path), dict)


def test_bytes_are_read_where_they_lie(tmp_path: Path) -> None:
    path = write(tmp_path, tensor("a", (1,), bytes(4)), tensor("b", (2, 2), b"\x01\xff\x80\x7f", 3))
    assert map_bytes(path, "b").tolist() == [[1, -1], [-128, 127]]


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a"])
def test_a_file_without_these_bytes_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InstallationError, match="has no bytes b"):
        map_bytes(path, "b")


def test_bytes_of_another_kind_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, tensor("b", (1,), bytes(4)))
    with pytest.raises(InstallationError, match="has no bytes b"):
        map_bytes(path, "b")
    with pytest.raises(InstallationError):
        map_bytes(tmp_path / "missing.onnx", "b")
