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
import open_clip
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training import augment, fit, tune
from training.data import DataError, LabeledImages, read_cifar100, split
from training.features import compile_for_features, extract
from training.imagenet import SHARED_CLASSES
from training.model import CONFIG, IMAGE_SIZE, create, save
from training.towers import EarlyTrunk, Head, LateTrunk, label_prompts, prompt_tokens

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
EVIDENCE_STRENGTH = 4.0
EVIDENCE_THRESHOLD = 8.0
TUNED_SHARE = 1.0
MOSAICS = 3000
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
    maps, mosaics = _maps(clip, data, rows, work, seed, progress)
    original = LateTrunk(clip.visual.trunk)
    features = _pooled(original, maps)
    mean, std = features[rows].mean(0), features[rows].std(0) + 1e-3
    fitted = work / "fitted.pt"
    hidden = HIDDEN - len(SHARED_CLASSES)
    if fitted.exists():
        first, second = nn.Linear(len(mean), hidden), nn.Linear(hidden, CONFIG["model_cfg"]["embed_dim"])
        for module, state in zip((first, second, clip), torch.load(fitted, weights_only=True), strict=True):
            module.load_state_dict(state)
    else:
        standardized = (features[rows] - mean) / std
        first, second = fit.fit_text_tower(clip, standardized, labels[rows], hidden, seed, progress)
        tune.save_whole(tuple(module.state_dict() for module in (first, second, clip)), fitted)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    head = Head(mean, std, prompts, HIDDEN, EVIDENCE_STRENGTH, EVIDENCE_THRESHOLD)
    head.start_from(first, second)
    steps = max(1, int(tune.EPOCHS * (len(rows) // min(tune.BATCH, len(rows)))))
    tuner = tune.Tuner(LateTrunk(clip.visual.trunk), head, float(clip.logit_scale.detach().exp()), steps)
    late, head = tune.tune(tuner, maps, labels, rows, mosaics, seed, work / "tuning.pt", progress)
    tune.interpolate(late, original, TUNED_SHARE)
    with torch.no_grad():
        cosines = head(_pooled(late, maps[held_out]))
    scale = calibrated_scale(cosines, labels[held_out])
    accuracy = float((cosines.argmax(1) == labels[held_out]).float().mean())
    log.info("held-out top-1 %.4f, logit scale %.2f", accuracy, scale)
    late.write_to(clip.visual.trunk)
    head.write_to(clip.visual.head.mlp)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, out)
    np.savez(out / "calibration.npz", images=data.images[held_out], labels=data.labels[held_out])
    return accuracy


def calibrated_scale(cosines: Tensor, labels: Tensor) -> float:
    """The logit scale of `SCALES` with the least negative log-likelihood of `labels` [n] given `cosines` [n, 100]."""
    losses = [float(functional.cross_entropy(cosines * scale, labels)) for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])


def _maps(
    clip: open_clip.CLIP, data: LabeledImages, rows: NDArray[np.int64], work: Path, seed: int, progress: bool
) -> tuple[tune.Maps, tune.Maps]:
    normalization = CONFIG["preprocess_cfg"]
    early = compile_for_features(
        EarlyTrunk(clip.visual.trunk, normalization["mean"][0], normalization["std"][0]), IMAGE_SIZE
    )
    trained_on = data.images[rows]

    def plain(number: int) -> augment.Pixels:
        return augment.plain(data.images[number], IMAGE_SIZE)

    def mosaic(number: int) -> augment.Pixels:
        return augment.mosaic(trained_on, IMAGE_SIZE, (seed, number))

    count = min(MOSAICS, len(rows))
    return (
        extract(early, plain, len(data.images), work / "plain.npy", progress),
        extract(early, mosaic, count, work / "mosaics.npy", progress),
    )


@torch.no_grad()
def _pooled(late: LateTrunk, maps: tune.Maps) -> Tensor:
    """Features float32 [n, 1280] of `maps`."""
    return torch.cat([late(tune.tensor(maps[start : start + 128])) for start in range(0, len(maps), 128)])


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
