"""Trains the bundled CLIP: one command from CIFAR-100 to a checkpoint that open_clip loads with `local-dir:`.

    python -m training.train --data cifar100-train.npz --pictures PICTURES --out runs/clip

PICTURES holds sharp pictures of any things, without labels: opaque ones, and ones that are transparent around a thing.
The folder gets `open_clip_config.json`, `open_clip_model.safetensors`, `calibration.npz` (the held-out images, for
the export), `train.log`, and `work/`, which holds cached features and checkpoints (5 GB): an interrupted run goes on
when the same command is given again. `work/` may be removed afterwards.
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
from torch import Tensor
from torch.nn import functional

from training.data import DataError, LabeledImages, read_cifar100, split
from training.features import Features, compile_trunk, extract
from training.fit import fit
from training.head import Evidence, Head, fit_gate, label_prompts, prompt_tokens
from training.imagenet import SHARED_CLASSES
from training.model import CONFIG, IMAGE_SIZE, create, save
from training.tune import Tuned, tune
from training.views import Pictures, plain, read_pictures, scene, varied

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
"""As open_clip builds an MLP head."""
EVIDENCE = Evidence(threshold=4.5, share=0.5, groups=256, other_threshold=3.5, other_share=0.6, pull=5)
LEARNED = HIDDEN - len(SHARED_CLASSES) - EVIDENCE.groups
SCENES = 5000
GATE_IMAGES = 15_000
GATE_RIDGE = 100.0
SCALES = np.arange(4.0, 60.0, 0.25)

log = logging.getLogger("training.train")


def train(data: LabeledImages, pictures: Pictures, out: Path, seed: int, progress: bool) -> float:
    """Trains on `data` but its held-out split, writes the checkpoint and `calibration.npz` to `out`.

    Returns the top-1 accuracy on the held-out images. Goes on from what an interrupted run with the same data and seed
    left in `out`/work; raises DataError where it is of another run.
    """
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_run(work / "run.json", data, pictures, seed)
    rows, held_out = split(len(data.labels))
    labels = torch.from_numpy(data.labels)
    torch.manual_seed(seed)
    clip = create()
    seen, changed, scenes = _features(clip, data, pictures, work, seed, progress)
    original = torch.from_numpy(seen.pooled[rows])
    mean, std = original.mean(0), original.std(0) + 1e-3
    first, second = fit(clip, (original - mean) / std, labels[rows], LEARNED, seed, work / "fit.pt", progress)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    tuned = Tuned(clip.visual.trunk, first, second, mean, std, clip.logit_scale)
    tuned = tune(tuned, prompts, (seen, changed), rows, labels, scenes, seed, work / "tune.pt", progress)
    known = _pooled(tuned, seen, held_out)
    gate = fit_gate(_pooled(tuned, seen, rows[:GATE_IMAGES]), _pooled(tuned, scenes), GATE_RIDGE)
    head = Head(mean, std, functional.normalize(prompts.mean(0), dim=-1), LEARNED, gate, EVIDENCE)
    with torch.no_grad():
        head.take_over(tuned.first, tuned.second, known)
        cosines = head(known)
    scale = calibrated_scale(cosines, labels[held_out])
    accuracy = float((cosines.argmax(1) == labels[held_out]).float().mean())
    log.info("held-out top-1 %.4f, logit scale %.2f", accuracy, scale)
    tuned.late.write_to(clip.visual.trunk)
    head.write_to(clip.visual.head.mlp)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, out)
    np.savez(out / "calibration.npz", images=data.images[held_out], labels=data.labels[held_out])
    return accuracy


def _features(
    clip: open_clip.CLIP, data: LabeledImages, pictures: Pictures, work: Path, seed: int, progress: bool
) -> tuple[Features, Features, Features]:
    """Of the images as they are, of the images varied, and of scenes."""
    pixels = CONFIG["preprocess_cfg"]
    trunk = compile_trunk(clip.visual.trunk, IMAGE_SIZE, pixels["mean"][0], pixels["std"][0])
    images = data.images
    ways = (
        ("plain", lambda row: plain(images[row], IMAGE_SIZE), len(images)),
        ("varied", lambda row: varied(images[row], IMAGE_SIZE, (seed, 3, row)), len(images)),
        ("scenes", lambda number: scene(pictures, IMAGE_SIZE, (seed, 4, number)), SCENES),
    )
    seen, changed, scenes = (extract(trunk, picture, count, work / name, progress) for name, picture, count in ways)
    return seen, changed, scenes


@torch.no_grad()
def _pooled(tuned: Tuned, features: Features, rows: NDArray[np.int64] | None = None) -> Tensor:
    """What the tuned stages make of the maps of `rows`, or of all, [n, 1280]."""
    chosen = np.arange(len(features.maps)) if rows is None else rows
    parts = np.array_split(chosen, max(1, len(chosen) // 100))
    return torch.cat([tuned.late(torch.from_numpy(features.maps[part].astype(np.float32))) for part in parts])


def calibrated_scale(cosines: Tensor, labels: Tensor) -> float:
    """The logit scale of `SCALES` with the least negative log-likelihood of `labels` [n] given `cosines` [n, 100]."""
    losses = [float(functional.cross_entropy(cosines * scale, labels)) for scale in SCALES]
    return float(SCALES[int(np.argmin(losses))])


def _same_run(path: Path, data: LabeledImages, pictures: Pictures, seed: int) -> None:
    digest = hashlib.sha256(data.images.tobytes() + data.labels.tobytes())
    for picture in (*pictures.backgrounds, *pictures.cutouts):
        digest.update(picture.tobytes())
    run = {"sha256": digest.hexdigest(), "seed": seed}
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
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of sharp pictures, searched through")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the checkpoint and the work files")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        data = read_cifar100(arguments.data)
        pictures = read_pictures(arguments.pictures)
        start = time.monotonic()
        with _logging_to(arguments.out / "train.log"):
            accuracy = train(data, pictures, arguments.out, arguments.seed, sys.stderr.isatty())
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
