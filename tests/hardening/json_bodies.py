"""Bodies in JSON, of the largest size that is taken, whose text would multiply when it is parsed."""

import base64
from collections.abc import Callable

import numpy as np

SIZE = (32 << 20) - 1000


def _filled(start: bytes, unit: bytes, end: bytes) -> bytes:
    return start + unit * ((SIZE - len(start) - len(end)) // len(unit)) + end


def _image() -> bytes:
    return base64.b64encode(b"\xff\xd8\xff" + np.random.default_rng(0).bytes((20 << 20) - 3))


_LABELS = b'{"inputs":"","parameters":{"candidate_labels":["'
BODIES: dict[str, Callable[[], bytes]] = {
    "one label": lambda: _filled(_LABELS, b"a b ", b'"]}}'),
    "one label, Chinese": lambda: _filled(_LABELS, "日 本 ".encode(), b'"]}}'),
    "one template": lambda: _filled(b'{"inputs":"","parameters":{"hypothesis_template":"', b"{} ", b'"}}'),
    "integers of 4,299 digits": lambda: _filled(b'{"inputs":[', b"9" * 4299 + b",", b"0]}"),
    "numbers": lambda: _filled(b'{"inputs":[', b"1,", b"0]}"),
    "empty strings": lambda: _filled(b'{"inputs":[', b'"",', b'""]}'),
    "names": lambda: b"{" + b",".join(b'"%x":0' % number for number in range(1_000_000)) + b"}",
    "arrays in arrays": lambda: _filled(b'{"inputs":', b"[", b""),
    "white space": lambda: _filled(b'{"inputs":', b" ", b'""}'),
    "what is ignored": lambda: _filled(b'{"inputs":"","options":"', b"a", b'"}'),
    "escapes": lambda: _filled(b'{"inputs":"","x":"', b'\\"', b'"}'),
    "a string without an end": lambda: _filled(b'{"inputs":"', b'\\"', b""),
    "an image": lambda: b'{"inputs":"%b"}' % _image(),
    "an image with escapes": lambda: b'{"inputs":"%b"}' % _image().replace(b"/", rb"\/").replace(b"+", rb"\u002b"),
    "an image of escapes": lambda: _filled(b'{"inputs":"', rb"\/", b'"}'),
}
"""For Hugging Face's form, by what they consist of; ``inputs`` are never an image that can be decoded."""
EMBEDDINGS: dict[str, Callable[[], bytes]] = {
    "one text": lambda: _filled(b'{"input":"', b"a b ", b'"}'),
    "one text, Chinese": lambda: _filled(b'{"input":["', "日 本 ".encode(), b'"]}'),
    "texts": lambda: _filled(b'{"input":[', b'"a",', b'"a"]}'),
    "data URIs": lambda: _filled(b'{"input":[', b'"data:,",', b'""]}'),
    "tokens": lambda: _filled(b'{"input":[', b"49406,", b"0]}"),
    "a user": lambda: _filled(b'{"input":"a","user":"', b"a ", b'"}'),
    "an image": lambda: b'{"input":"data:image/jpeg;base64,%b"}' % _image(),
}
"""For ``/v1/embeddings``."""
LABELS: dict[str, Callable[[], bytes]] = {
    "a prompt": lambda: _filled(b'{"images":[],"prompt":"', b"a ", b'"}'),
    "strings": lambda: _filled(b'{"images":[', b'"a",', b'"a"]}'),
    "data URIs": lambda: _filled(b'{"images":[', b'"data:,",', b'""]}'),
    "a schema": lambda: _filled(b'{"images":[],"schema":', b'{"a":', b""),
    "an image": lambda: b'{"images":["data:image/jpeg;base64,%b"]}' % _image(),
}
"""For the forms of PhotoPrism's vision service and Ollama."""
RESPONSES: dict[str, Callable[[], bytes]] = {
    "one text": lambda: _filled(b'{"input":"', b"a b ", b'"}'),
    "messages": lambda: _filled(b'{"input":[', b"{},", b"{}]}"),
    "contents": lambda: _filled(b'{"input":[{"content":[', b'{"type":"input_image","image_url":"data:,"},', b"{}]}]}"),
    "an image": lambda: (
        b'{"input":[{"content":[{"type":"input_image","image_url":"data:image/jpeg;base64,%b"}]}]}' % _image()
    ),
}
"""For ``/v1/responses``."""
