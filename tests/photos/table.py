"""All encodings of the table."""

from itertools import chain

from tests.photos import of_isobmff, of_jpeg, of_others, of_png, of_raw, of_tiff, turned
from tests.photos.encoding import Encoding


def table() -> tuple[Encoding, ...]:
    """The rows, of different names."""
    modules = (turned, of_jpeg, of_png, of_tiff, of_others, of_isobmff, of_raw)
    rows = tuple(chain(*(module.rows() for module in modules)))
    assert len({row.name for row in rows}) == len(rows)
    return rows
