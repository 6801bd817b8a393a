"""Trains the bundled CLIP: one command from CIFAR-100 to a checkpoint that open_clip loads with `local-dir:`.

    python -m training.train --data cifar100-train.npz --pictures PICTURES --out runs/clip

PICTURES holds sharp pictures of any things, without labels: opaque ones, and ones that are transparent around a thing.
The folder gets `open_clip_config.json`, `open_clip_model.safetensors`, `classes.safetensors` (the fine classes),
`train.log`, and `work/`, which holds cached features and checkpoints (10 GB): an interrupted run goes on when the same
command is given again. `work/` may be removed afterwards.
"""

import argparse
import copy
import hashlib
import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from backend.clip.labels import LABELS
from training.data import DataError, LabeledImages, read_cifar100, split
from training.features import Maps, compile_frozen, compile_trunk, extract
from training.fit import fit
from training.head import OwnUnits, fit_gate, label_prompts, prompt_tokens, write_head
from training.late import LateStages, averaged
from training.model import CONFIG, IMAGE_SIZE, create, save
from training.tune import Scenes, Tuned, tune
from training.units import View, averaged_units, learn_units
from training.views import Pictures, Pixels, mosaic, plain, read_pictures, scene, sharpened, varied

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
"""As open_clip builds an MLP head."""
TUNED_HIDDEN = 844
"""Hidden units of the head while the trunk is tuned; the others join it afterwards."""
SCENES = 5000
VARIED_VIEWS = 2
KEPT = 0.75
"""How much of what was learned is kept when weights are averaged with those before."""
UNIT_SCALE = 14.0
SHARPENED, MOSAICS = 12_000, 6_000
PLAIN_STEPS, ALL_STEPS = 125, 400
GATE_IMAGES = 15_000
GATE_RIDGE = 100.0
SCALES = np.arange(4.0, 60.0, 0.25)

log = logging.getLogger("training.train")


def train(data: LabeledImages, pictures: Pictures, out: Path, seed: int, progress: bool) -> float:
    """Trains on `data` but its held-out split, writes the checkpoint to `out`.

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
    (seen, *changed), scenes = _maps(clip, data, pictures, work, seed, progress)
    late = LateStages(clip.visual.trunk)
    original = _once(work / "original.pt", lambda: _features(late, seen, rows, progress))
    sharp = Scenes(scenes, _once(work / "original-scenes.pt", lambda: _features(late, scenes, None, progress)))
    mean, std = original.mean(0), original.std(0) + 1e-3
    first, second = fit(clip, (original - mean) / std, labels[rows], TUNED_HIDDEN, seed, work / "fit.pt", progress)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    tuned = Tuned(clip.visual.trunk, first, second, mean, std, clip.logit_scale)

    def accuracy(average: Tuned) -> float:
        embeddings = average.embed(_features(average.late, seen, held_out))
        return _top_1(embeddings @ prompts.mean(0).T, labels[held_out])

    tuned = tune(tuned, prompts, (seen, *changed), rows, labels, sharp, seed, work / "tune.pt", progress, accuracy)
    late = averaged(LateStages(clip.visual.trunk), tuned.late, KEPT)
    late.write_to(clip.visual.trunk)
    small, known = (_features(late, seen, chosen, progress) for chosen in (rows, held_out))
    gate = fit_gate(small[:GATE_IMAGES], _features(late, scenes, None, progress), GATE_RIDGE)
    own = functional.normalize(prompts.mean(0), dim=-1)
    units = OwnUnits(tuned.first, tuned.second, mean, std, own, UNIT_SCALE, HIDDEN)
    before = copy.deepcopy(units)
    as_they_are = View(small, labels[rows], 256, 1.0)
    learn_units(units, [as_they_are], PLAIN_STEPS, seed, progress)
    sharp_views = _sharp_views(clip, data, rows, work, seed, progress)
    learn_units(units, [as_they_are._replace(batch=128), *sharp_views], ALL_STEPS, seed, progress)
    units = averaged_units(before, units, KEPT).eval()
    with torch.no_grad():
        classes = write_head(units, own, gate, clip.visual.head.mlp)
        cosines = functional.normalize(clip.visual.head(known), dim=-1) @ own.T
    scale = calibrated_scale(cosines, labels[held_out])
    top_1 = _top_1(cosines, labels[held_out])
    log.info("held-out top-1 %.4f, logit scale %.2f", top_1, scale)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, classes, out)
    return top_1


def _sharp_views(
    clip: open_clip.CLIP, data: LabeledImages, rows: NDArray[np.int64], work: Path, seed: int, progress: bool
) -> list[View]:
    """Training images with sharp edges, and mosaics of images of one label, as the whole trunk sees them."""
    pixels = CONFIG["preprocess_cfg"]
    trunk = compile_trunk(clip.visual.trunk, IMAGE_SIZE, pixels["mean"][0], pixels["std"][0])
    images, labels = data.images, torch.from_numpy(data.labels)
    chosen = np.random.default_rng((seed, 5)).permutation(rows)
    alone, together = chosen[:SHARPENED], chosen[-MOSAICS:]
    alike = [rows[data.labels[rows] == label] for label in range(len(LABELS))]

    def of_many(number: int) -> Pixels:
        return mosaic(images[alike[data.labels[together[number]]]], IMAGE_SIZE, (seed, 7, number))

    def of(name: str, picture: Callable[[int], Pixels], shown: NDArray[np.int64], batch: int) -> View:
        features = extract(trunk, picture, len(shown), work / name, progress)
        return View(torch.from_numpy(features.astype(np.float32)), labels[shown], batch, 0.3)

    return [
        of("sharpened", lambda number: sharpened(images[alone[number]], IMAGE_SIZE, (seed, 6, number)), alone, 96),
        of("mosaics", of_many, together, 48),
    ]


def _maps(
    clip: open_clip.CLIP, data: LabeledImages, pictures: Pictures, work: Path, seed: int, progress: bool
) -> tuple[list[Maps], Maps]:
    """Of the images as they are and of each way of varying them, and of scenes."""
    pixels = CONFIG["preprocess_cfg"]
    frozen = compile_frozen(clip.visual.trunk, IMAGE_SIZE, pixels["mean"][0], pixels["std"][0])
    images = data.images

    def of(name: str, picture: Callable[[int], Pixels], count: int) -> Maps:
        return extract(frozen, picture, count, work / name, progress)

    scenes = of("scenes", lambda number: scene(pictures, IMAGE_SIZE, (seed, 4, number)), SCENES)
    views = [of("plain", lambda row: plain(images[row], IMAGE_SIZE), len(images))]
    for way in range(1, VARIED_VIEWS + 1):

        def picture(row: int, way: int = way) -> Pixels:
            return varied(images[row], IMAGE_SIZE, (seed, 3, way, row))

        views.append(of(f"varied-{way}", picture, len(images)))
    return views, scenes


@torch.no_grad()
def _features(late: LateStages, maps: Maps, rows: NDArray[np.int64] | None = None, progress: bool = False) -> Tensor:
    """What the late stages make of the maps of `rows`, or of all, [n, 1280]."""
    chosen = np.arange(len(maps)) if rows is None else rows
    parts = np.array_split(chosen, max(1, len(chosen) // 50))
    bar = tqdm(parts, desc="features", disable=not progress)
    return torch.cat([late(torch.from_numpy(maps[part].astype(np.float32))) for part in bar])


def _once(path: Path, compute: Callable[[], Tensor]) -> Tensor:
    """What `compute` gives, or gave when `path` was written."""
    if not path.exists():
        unfinished = path.with_suffix(".partial")
        torch.save(compute(), unfinished)
        unfinished.replace(path)
    result: Tensor = torch.load(path, weights_only=True)
    return result


def _top_1(cosines: Tensor, labels: Tensor) -> float:
    return float((cosines.argmax(1) == labels).float().mean())


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
