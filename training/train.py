"""Trains the bundled CLIP: one command from CIFAR-100 to a checkpoint that open_clip loads with `local-dir:`.

    python -m training.train --data cifar100-train.npz --out runs/clip

The folder gets `open_clip_config.json`, `open_clip_model.safetensors`, `calibration.npz` (the held-out images, for
the export), `train.log`, and `work/`, which holds cached features and checkpoints: an interrupted run goes on when
the same command is given again. `work/` may be removed afterwards.
"""

import argparse
import hashlib
import json
import logging
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.data import DataError, LabeledImages, read_cifar100, split
from training.features import compile_trunk, extract
from training.fit import fit
from training.head import Head, label_prompts, prompt_tokens
from training.imagenet import SHARED_CLASSES
from training.model import CONFIG, IMAGE_SIZE, create, save

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
EVIDENCE_SHARE = 0.08
EVIDENCE_THRESHOLD = 9.0
SCALES = np.arange(4.0, 60.0, 0.25)

log = logging.getLogger("training.train")


def train(data: LabeledImages, out: Path, seed: int, progress: bool) -> float:
    """Trains on `data` but its held-out split, writes the checkpoint and `calibration.npz` to `out`.

    Returns the top-1 accuracy on the held-out images. Goes on from what an interrupted run with the same data and seed
    left in `out`/work; raises DataError where it is of another run.
    """
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_run(work / "run.json", data, seed)
    rows, held_out = split(len(data.labels))
    labels = torch.from_numpy(data.labels)
    torch.manual_seed(seed)
    clip = create()
    pixels = CONFIG["preprocess_cfg"]
    trunk = compile_trunk(clip.visual.trunk, IMAGE_SIZE, pixels["mean"][0], pixels["std"][0])
    features = torch.from_numpy(extract(trunk, data.images, IMAGE_SIZE, work / "features.npy", progress))
    mean, std = features[rows].mean(0), features[rows].std(0) + 1e-3
    standardized = (features[rows] - mean) / std
    hidden = HIDDEN - len(SHARED_CLASSES)
    first, second = fit(clip, standardized, labels[rows], hidden, seed, work / "fit.pt", progress)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    head = Head(mean, std, prompts, HIDDEN, EVIDENCE_SHARE, EVIDENCE_THRESHOLD)
    with torch.no_grad():
        head.take_over(first, second, features[held_out])
        cosines = head(features[held_out])
    scale = calibrated_scale(cosines, labels[held_out])
    accuracy = float((cosines.argmax(1) == labels[held_out]).float().mean())
    log.info("held-out top-1 %.4f, logit scale %.2f", accuracy, scale)
    head.write_to(clip.visual.head.mlp)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, out)
    np.savez(out / "calibration.npz", images=data.images[held_out], labels=data.labels[held_out])
    return accuracy


def calibrated_scale(cosines: Tensor, labels: Tensor) -> float:
    """The logit scale of `SCALES` with the least negative log-likelihood of `labels` [n] given `cosines` [n, 100]."""
    losses = [float(functional.cross_entropy(cosines * scale, labels)) for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])


def _same_run(path: Path, data: LabeledImages, seed: int) -> None:
    digest = hashlib.sha256(data.images.tobytes() + data.labels.tobytes()).hexdigest()
    run = {"data_sha256": digest, "seed": seed}
    if path.exists() and json.loads(path.read_text()) != run:
        raise DataError(f"{path.parent} is of a run with other data or another seed; remove it or choose another --out")
    path.write_text(json.dumps(run) + "\n")


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("training")
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(path)]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="train", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="CIFAR-100 as NPZ or the official python archive")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the checkpoint and the work files")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        data = read_cifar100(arguments.data)
        start = time.monotonic()
        with _logging_to(arguments.out / "train.log"):
            accuracy = train(data, arguments.out, arguments.seed, sys.stderr.isatty())
    except (DataError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    minutes = (time.monotonic() - start) / 60
    print(f"{arguments.out}: held-out top-1 {accuracy:.3f}, {minutes:.0f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
