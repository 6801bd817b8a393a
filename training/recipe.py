"""The recipe of the bundled model: six steps from CIFAR-100 and pictures of any things to a checkpoint."""

import hashlib
import json
import logging
import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.data import DataError, LabeledImages, split
from training.late_stages import LateStages
from training.model import create, save
from training.prompts import label_prompts, prompt_tokens
from training.resuming import once
from training.step1_maps import make_maps
from training.step2_text_tower import train_text_tower
from training.step3_trunk import Scenes, Tuned, tune_trunk
from training.step4_average import averaged
from training.step5_label_units import LabelUnits, sharp_views, train_label_units
from training.step6_fine_classes import GATE_IMAGES, calibrated_scale, fit_gate, write_head
from training.views import Pictures

log = logging.getLogger(__name__)


def train(data: LabeledImages, pictures: Pictures, out: Path, seed: int, progress: bool) -> float:
    """Trains on ``data`` but its held-out split, writes the checkpoint to ``out``.

    Returns the top-1 accuracy on the held-out images. Goes on from what an interrupted run with the same data and seed
    left in ``out``/work; raises DataError where it is of another run.
    """
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_run(work / "run.json", data, pictures, seed)
    rows, held_out = split(len(data.labels))
    labels = torch.from_numpy(data.labels)
    torch.manual_seed(seed)
    clip = create()
    trunk = clip.visual.trunk

    # Step 1: maps of all pictures.
    (seen, *changed), scenes = make_maps(trunk, data.images, pictures, work, seed, progress)
    late = LateStages(trunk)
    original = once(work / "original.pt", lambda: late.features(seen, rows, progress))
    sharp = Scenes(scenes, once(work / "original-scenes.pt", lambda: late.features(scenes, progress=progress)))

    # Step 2: text tower and head.
    mean, std = original.mean(0), original.std(0) + 1e-3
    first, second = train_text_tower(clip, (original - mean) / std, labels[rows], seed, work / "fit.pt", progress)
    prompts = label_prompts(clip, prompt_tokens(clip.context_length))
    own = functional.normalize(prompts.mean(0), dim=-1)

    # Step 3: late stages and head.
    tuned = Tuned(trunk, first, second, mean, std, clip.logit_scale)

    def accuracy(average: Tuned) -> float:
        embeddings = average.embed(average.late.features(seen, held_out))
        return _top_1(embeddings @ prompts.mean(0).T, labels[held_out])

    tuned = tune_trunk(
        tuned, prompts, (seen, *changed), rows, labels, sharp, seed, work / "tune.pt", progress, accuracy
    )

    # Step 4: the late stages' average with the original's.
    late = averaged(LateStages(trunk), tuned.late)
    late.write_to(trunk)
    small, known = (late.features(seen, chosen, progress) for chosen in (rows, held_out))

    # Step 5: the labels' own units.
    units = LabelUnits(tuned.first, tuned.second, mean, std, own)
    views = sharp_views(trunk, data, rows, work, seed, progress)
    units = train_label_units(units, small, labels[rows], views, seed, progress)

    # Step 6: the fine classes, and the logit scale.
    gate = fit_gate(small[:GATE_IMAGES], late.features(scenes, progress=progress))
    with torch.no_grad():
        classes = write_head(units, own, gate, clip.visual.head.mlp)
        cosines = functional.normalize(clip.visual.head(known), dim=-1) @ own.T
    scale, top_1 = calibrated_scale(cosines, labels[held_out]), _top_1(cosines, labels[held_out])
    log.info("held-out top-1 %.4f, logit scale %.2f", top_1, scale)
    clip.logit_scale.data.fill_(math.log(scale))
    save(clip, classes, out)
    return top_1


def _top_1(cosines: Tensor, labels: Tensor) -> float:
    return float((cosines.argmax(1) == labels).float().mean())


def _same_run(path: Path, data: LabeledImages, pictures: Pictures, seed: int) -> None:
    digest = hashlib.sha256(data.images.tobytes() + data.labels.tobytes())
    for picture in (*pictures.backgrounds, *pictures.cutouts):
        digest.update(picture.tobytes())
    run = {"sha256": digest.hexdigest(), "seed": seed}
    if path.exists() and json.loads(path.read_text()) != run:
        raise DataError(f"{path.parent} is of a run with other data or another seed; remove it or choose another --out")
    path.write_text(json.dumps(run) + "\n")
