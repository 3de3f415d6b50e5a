"""Reads the numbers out of an ONNX file, for networks that are computed without its runtime.

An ONNX file is a protobuf message: `ModelProto.graph` (field 7) holds one `TensorProto` for each
array of weights (`GraphProto.initializer`, field 5). Source: onnx/onnx, `onnx/onnx.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from sayso.errors import InstallationError

GRAPH, INITIALIZER = 7, 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
FLOAT32: Final = 1
INT8: Final = 3

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.int8]


def read_weights(path: Path) -> dict[str, Floats]:
    """Every float32 array of the graph, by name.

    Raises:
        InstallationError: the file cannot be read, or is no ONNX file.
    """
    try:
        model = memoryview(path.read_bytes())
        graphs = [value for number, value in _fields(model) if number == GRAPH]
        tensors = [_tensor(v) for graph in graphs for n, v in _fields(graph) if n == INITIALIZER]
    except (OSError, ValueError, IndexError) as error:
        raise InstallationError(f"the model {path} cannot be read: {error}") from error
    return dict(tensor for tensor in tensors if tensor is not None)


def map_bytes(path: Path, name: str) -> Bytes:
    """The array of bytes with this name, as it lies in the file: only what is read of it is loaded.

    Raises:
        InstallationError: the file cannot be read, is no ONNX file, or has no such array.
    """
    try:
        with path.open("rb") as file:
            model = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
        graphs = [value for number, value in _fields(model) if number == GRAPH]
        tensors = (_read(v) for graph in graphs for n, v in _fields(graph) if n == INITIALIZER)
        found = next(one for one in tensors if (one.name, one.kind) == (name, INT8))
        return np.frombuffer(found.raw, np.int8).reshape(found.dims)
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise InstallationError(f"the model {path} has no bytes {name}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Raw:
    """A `TensorProto` as it is written: `kind` is its data type."""

    name: str
    kind: int
    dims: list[int]
    raw: memoryview


def _tensor(message: memoryview) -> tuple[str, Floats] | None:
    """One array and its name; None for what is not float32 in raw bytes."""
    one = _read(message)
    if one.kind != FLOAT32 or len(one.raw) != 4 * prod(one.dims):
        return None
    return one.name, np.frombuffer(one.raw, "<f4").reshape(one.dims).astype(np.float32)


def _read(message: memoryview) -> _Raw:
    dims: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in _fields(message):
        if number == DIMS:
            dims.append(_whole(value))
        elif number == DATA_TYPE:
            kind = _whole(value)
        elif number == NAME:
            name = bytes(value).decode()
        elif number == RAW_DATA:
            raw = value
    return _Raw(name, kind, dims, raw)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message in order: number, and the bytes of the value."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                end = _varint(message, at)[1]
            case 1:
                end = at + 8
            case 2:
                size, at = _varint(message, at)
                end = at + size
            case 5:
                end = at + 4
            case wire_type:
                raise ValueError(f"wire type {wire_type} at byte {at}")
        if end > len(message):
            raise ValueError(f"a field ends behind its message, at byte {end}")
        yield key >> 3, message[at:end]
        at = end


def _whole(value: memoryview) -> int:
    return _varint(value, 0)[0]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
