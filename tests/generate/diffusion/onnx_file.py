"""Write small ONNX networks without the onnx package, field by field.

The format is protobuf: a key (field number and wire type), then the value. Field numbers are
those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt


def write_onnx(
    path: Path,
    nodes: Sequence[bytes],
    weights: Mapping[str, npt.NDArray[np.float32]],
    given: tuple[str, Sequence[int]],
    told: Mapping[str, Sequence[int]],
) -> None:
    """A network of float32 tensors: nodes, weights, its input and its outputs by name."""
    graph = b"".join(_field(1, node) for node in nodes)
    graph += _field(2, b"network")
    graph += b"".join(_field(5, _tensor(name, array)) for name, array in weights.items())
    graph += _field(11, _value(*given))
    graph += b"".join(_field(12, _value(name, shape)) for name, shape in told.items())
    opset = _number(2, 13)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, opset))


def node(kind: str, inputs: Sequence[str], output: str, **numbers: Sequence[int]) -> bytes:
    """One operation; its attributes are lists of whole numbers."""
    made = b"".join(_field(1, name.encode()) for name in inputs)
    made += _field(2, output.encode()) + _field(4, kind.encode())
    for name, values in numbers.items():
        listed = b"".join(_number(8, v) for v in values)
        made += _field(5, _field(1, name.encode()) + listed + _number(20, 7))
    return made


def _tensor(name: str, array: npt.NDArray[np.float32]) -> bytes:
    dims = b"".join(_number(1, n) for n in array.shape)
    return dims + _number(2, 1) + _field(8, name.encode()) + _field(9, array.tobytes())


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, n)) for n in shape)
    kind = _field(1, _number(1, 1) + _field(2, dims))
    return _field(1, name.encode()) + _field(2, kind)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
