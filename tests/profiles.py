"""ICC profiles of a few lines (ICC.1:2010): a matrix and a curve."""

import struct

import numpy as np
from numpy.typing import NDArray

_D50 = np.array([0.9642, 1.0, 0.8249])
_D65 = (0.3127, 0.3290)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_BT709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    return np.array([x / y, 1, (1 - x - y) / y])


def rgb_profile(
    *,
    gamma: float,
    primaries: tuple[tuple[float, float], ...] = _BT709,
    white: tuple[float, float] = _D65,
    gray: bool = False,
) -> bytes:
    """A display profile: linear light is the level to the power of ``gamma``."""
    columns = np.array([_xyz(*each) for each in primaries]).T
    columns = columns * np.linalg.solve(columns, _xyz(*white))
    adapt = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ _D50) / (_BRADFORD @ _xyz(*white))) @ _BRADFORD
    columns = adapt @ columns
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78),
    }
    if gray:
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
            tags[name + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(*column)
            tags[name + b"TRC"] = curve
    directory, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        directory += name + struct.pack(">II", at + len(data), len(content))
        data += padded
    body = struct.pack(">I", len(tags)) + directory + data
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(body), bytes(4), 0x02400000, b"mntr", b"GRAY" if gray else b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\0") + body


DISPLAY_P3 = rgb_profile(gamma=2.2, primaries=((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)))
ADOBE_RGB = rgb_profile(gamma=2.19921875, primaries=((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)))
PROPHOTO = rgb_profile(
    gamma=1.8, primaries=((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105)), white=(0.3457, 0.3585)
)
