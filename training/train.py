"""Trains the bundled CLIP: one command from CIFAR-100 to a checkpoint that open_clip loads with `local-dir:`.

    python -m training.train --data cifar100-train.npz --pictures PICTURES --out runs/clip

PICTURES holds sharp pictures of any things, without labels: opaque ones, and ones that are transparent around a thing.
The folder gets `open_clip_config.json`, `open_clip_model.safetensors`, `calibration.npz` (the held-out images, for
the export), `train.log`, and `work/`, which holds cached features and checkpoints (10 GB): an interrupted run goes on
when the same command is given again. `work/` may be removed afterwards.
"""

import argparse
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

from training.data import DataError, LabeledImages, read_cifar100, split
from training.features import Maps, compile_frozen, extract
from training.fit import fit
from training.head import Evidence, Head, fit_gate, label_prompts, prompt_tokens
from training.imagenet import SHARED_CLASSES
from training.late import LateStages
from training.model import CONFIG, IMAGE_SIZE, create, save
from training.tune import Scenes, Tuned, tune
from training.views import Pictures, Pixels, plain, read_pictures, scene, varied

HIDDEN = 2 * CONFIG["model_cfg"]["embed_dim"]
"""As open_clip builds an MLP head."""
EVIDENCE = Evidence(threshold=4.5, share=0.5, groups=256, other_threshold=2.5, other_share=0.6, pull=5)
LEARNED = HIDDEN - len(SHARED_CLASSES) - EVIDENCE.groups
SCENES = 5000
VARIED_VIEWS = 2
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
    (seen, *changed), scenes = _maps(clip, data, pictures, work, seed, progress)
    late = LateStages(clip.visual.trunk)
    original = _once(work / "original.pt", lambda: _features(late, seen, rows, progress))
    sharp = Scenes(scenes, _once(work / "original-scenes.pt", lambda: _features(late, scenes, None, progress)))
    mean, std = original.mean(0), original.std(0) + 1e-3
    first, second = fit(clip, (original - mean) / std, labels[rows], LEARNED, seed, work / "fit.pt", progress)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    tuned = Tuned(clip.visual.trunk, first, second, mean, std, clip.logit_scale)

    def accuracy(average: Tuned) -> float:
        embeddings = average.embed(_features(average.late, seen, held_out))
        return _top_1(embeddings @ prompts.mean(0).T, labels[held_out])

    tuned = tune(tuned, prompts, (seen, *changed), rows, labels, sharp, seed, work / "tune.pt", progress, accuracy)
    known = _features(tuned.late, seen, held_out, progress)
    small = _features(tuned.late, seen, rows[:GATE_IMAGES], progress)
    gate = fit_gate(small, _features(tuned.late, scenes, None, progress), GATE_RIDGE)
    head = Head(mean, std, functional.normalize(prompts.mean(0), dim=-1), LEARNED, gate, EVIDENCE)
    with torch.no_grad():
        head.take_over(tuned.first, tuned.second, known)
        cosines = head(known)
    scale = calibrated_scale(cosines, labels[held_out])
    top_1 = _top_1(cosines, labels[held_out])
    log.info("held-out top-1 %.4f, logit scale %.2f", top_1, scale)
    tuned.late.write_to(clip.visual.trunk)
    head.write_to(clip.visual.head.mlp)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, out)
    np.savez(out / "calibration.npz", images=data.images[held_out], labels=data.labels[held_out])
    return top_1


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
