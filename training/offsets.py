"""Fits offsets of the labels' own units on photographs, and writes them into a checkpoint.

    python -m training.offsets --checkpoint runs/clip --photos PHOTOS [PHOTOS ...]

The units learned from small images, and call some things in sharp photographs too seldom (dolphins, which are like
sharks) and others too often. Of the photographs only the part to choose on counts. The command may be given again: what
an earlier call wrote does not count.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm import tqdm

from backend.clip.export.cifar100 import LABELS
from backend.clip.export.fine_classes import FineClasses
from backend.clip.export.source import CLASSES, ExportError, Source, load
from backend.clip.export.words import Words, read_words
from backend.clip.photos.image import read_pixels
from backend.clip.photos.preprocessing import Preprocessing
from training.data import DataError
from training.imagenet_names import classes_called
from training.model import save_tensors
from training.photos import Photo, list_photos, part_of, seen
from training.step6_fine_classes import sharp_offsets

RIDGE = 4.0
"""Cross-validated on the part to choose on: with less, photographs that the fit does not see began to suffer."""
_STEPS = 100
_SHOWN = 10


def fit_offsets(logits: Tensor, shares: Tensor, answers: Tensor, ridge: float) -> Tensor:
    """The offsets [units] that maximize the log-likelihood of the right answers less ``ridge`` / 2 times their squares.

    Args:
        logits: [n, classes], of which the units are the last.
        shares: [n, 1], how much of an offset a photograph gets, 0 to 1.
        answers: bool [n, classes], the classes that are right: their probabilities in the softmax over all are added.
        ridge: holds the offsets of things that are in few photographs near 0.
    """
    offsets = nn.Parameter(torch.zeros(len(LABELS), dtype=torch.float64))
    optimizer = torch.optim.LBFGS([offsets], max_iter=_STEPS, line_search_fn="strong_wolfe")
    others = logits.shape[1] - len(offsets)

    def loss() -> Tensor:
        optimizer.zero_grad()
        moved = torch.cat([logits[:, :others], logits[:, others:] + shares * offsets], 1).log_softmax(1)
        likelihood = moved.masked_fill(~answers, -torch.inf).logsumexp(1).sum()
        total = ridge / 2 * offsets.square().sum() - likelihood
        torch.autograd.backward(total)
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return offsets.detach().float()


def right_classes(photo: Photo, words: Words, count: int) -> NDArray[np.bool_]:
    """bool [count], the fine classes that are right for a photograph: those of its label; of ImageNet's photographs of
    other things their own; of any others all that belong to no label."""
    right = np.zeros(count, bool)
    if photo.label:
        right[list(words.classes(words.index(photo.label)))] = True
    elif own := classes_called(photo.what) if seen(photo) else frozenset():
        right[list(own)] = True
    else:
        right[:] = True
        for label in LABELS:
            right[list(words.classes(words.index(label)))] = False
    return right


@torch.no_grad()
def _evidence(source: Source, classes: FineClasses, photos: Sequence[Photo]) -> tuple[Tensor, Tensor]:
    """Logits [n, classes] and shares [n, 1] of photographs, prepared as the function that serves prepares them."""
    preprocessing = Preprocessing.from_open_clip(open_clip.get_model_preprocess_cfg(source.model))
    logits, shares = [], []
    for photo in tqdm(photos, desc="photographs", disable=not sys.stderr.isatty()):
        image = Image.fromarray(read_pixels(photo.path.read_bytes(), preprocessing))
        features = source.model.visual.trunk(source.preprocess(image)[None])
        logits.append(classes(features, source.model.visual.head(features)))
        shares.append(1 - classes.gate(features).clamp(0, 1))
    return torch.cat(logits).double(), torch.cat(shares).double()


def write_offsets(checkpoint: Path, photos: Sequence[Photo]) -> Tensor:
    """Fit the offsets on ``photos``, write them into the checkpoint, and return them, [units].

    Raises:
        ExportError: there is no checkpoint with fine classes.
    """
    source = load(f"local-dir:{checkpoint}", None)
    path = checkpoint / CLASSES
    if not path.exists():
        raise ExportError(f"{path} is not there: the checkpoint has no fine classes.")
    tensors = load_file(path)
    tensors["sharp.bias"] = sharp_offsets()
    classes, words = FineClasses(tensors), read_words()
    logits, shares = _evidence(source, classes, photos)
    answers = torch.from_numpy(np.stack([right_classes(photo, words, classes.count) for photo in photos]))
    offsets = fit_offsets(logits, shares, answers, RIDGE)
    tensors["sharp.bias"] = sharp_offsets() + offsets
    save_tensors(tensors, path)
    return offsets


def main() -> int:
    parser = argparse.ArgumentParser(prog="offsets", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True, help="the folder that python -m training wrote")
    parser.add_argument("--photos", type=Path, required=True, nargs="+", help="folders of photographs with an index")
    arguments = parser.parse_args()
    try:
        photos = [photo for folder in arguments.photos for photo in part_of(list_photos(folder), "choose")]
        offsets = write_offsets(arguments.checkpoint, photos)
    except (DataError, ExportError) as error:
        print(f"offsets: {error}", file=sys.stderr)
        return 1
    for unit in offsets.abs().argsort(descending=True)[:_SHOWN].tolist():
        print(f"{offsets[unit]:+.2f} {LABELS[unit]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
