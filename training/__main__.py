"""Trains the bundled CLIP: one command from CIFAR-100 to the folder that is served.

    python -m training --data cifar100-train.npz --pictures PICTURES --photos PHOTOS [PHOTOS ...] --out runs/clip

PICTURES holds sharp pictures of any things, without labels: opaque ones, and ones that are transparent around a thing.
PHOTOS are folders of photographs, see ``photos.py``; only the part to choose on counts. The folder gets the checkpoint,
which open_clip loads with ``local-dir:`` (``open_clip_config.json``, ``open_clip_model.safetensors``,
``classes.safetensors`` with the fine classes, ``calibration.json``), ``model/`` for the function to load, ``train.log``
and ``work/``, which holds cached features and checkpoints (10 GB): an interrupted run goes on when the same command
is given again. ``work/`` may be removed afterwards. Without PHOTOS there is only a checkpoint, not calibrated.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.clip.export.source import ExportError
from training.data import DataError, read_cifar100, split
from training.photos import PARTS, list_photos, part_of
from training.recipe import train
from training.served import write_served
from training.views import read_pictures


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
    parser = argparse.ArgumentParser(prog="training", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="CIFAR-100 as NPZ or the official python archive")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of sharp pictures, searched through")
    parser.add_argument("--photos", type=Path, nargs="+", default=[], help="folders of photographs to calibrate on")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the checkpoint and the work files")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        data = read_cifar100(arguments.data)
        pictures = read_pictures(arguments.pictures)
        photos = [photo for folder in arguments.photos for photo in part_of(list_photos(folder), PARTS[0])]
        start = time.monotonic()
        with _logging_to(arguments.out / "train.log"):
            accuracy = train(data, pictures, arguments.out, arguments.seed, sys.stderr.isatty())
            if photos:
                write_served(arguments.out, photos, data.take(split(len(data.labels))[1]), arguments.seed)
    except (DataError, ExportError, OSError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("training: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    minutes = (time.monotonic() - start) / 60
    print(f"{arguments.out}: held-out top-1 {accuracy:.3f}, {minutes:.0f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
