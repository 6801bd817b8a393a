"""Everything that takes memory in ``clip``, at once."""

from functools import partial

import numpy as np

from tests.hardening.bystander import PHOTO, Seen, ask, together
from tests.hardening.labels import new_labels
from tests.hardening.tiny import TINY
from tests.processes import MEGABYTE

_BODY = 19 * MEGABYTE


def crowd(url: str) -> list[Seen]:
    """The answers to sixteen photos of 19 MB, eight batches of new labels and two images of 50 megapixels."""
    photo = PHOTO + np.random.default_rng(0).bytes(_BODY - len(PHOTO))
    labels = [partial(ask, url, params={"labels": new_labels(number, 20)}) for number in range(8)]
    largest = [partial(ask, url, TINY[name]()) for name in ("heic, a grid of one tile", "png, 16 bits and alpha")]
    return together([*([partial(ask, url, photo)] * 16), *labels, *largest])
