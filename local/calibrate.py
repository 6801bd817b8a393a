"""Calibrates a model's confidence on public photographs: ``make calibrate MODEL=…``.

    python -m local.calibrate --model ViT-B-32-256 --pretrained datacomp_s34b_b86k
    python -m local.calibrate --model EXPORTED-FOLDER --data FOLDER

A name of open_clip is exported first, into the cache that ``make up`` serves from. The photographs are downloaded into
the same cache, unless a folder with copies is named. The export's own dependencies must be installed.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from .model_cache import BUNDLED, CLIP, PROJECT, ModelError, cache, exported


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.calibrate", description="Calibrates a model on public photographs."
    )
    parser.add_argument("--model", required=True, help="an exported folder, or a model as MODEL= of make up names it")
    parser.add_argument("--pretrained", default="", help="the tag of open_clip's weights, with a name of open_clip")
    parser.add_argument("--data", default="", help="a folder with copies of the public sets; nothing is downloaded")
    parser.add_argument("--accept-license", action="store_true", help="take weights that are not for commercial use")
    arguments = parser.parse_args()
    try:
        pretrained = "" if ":" in arguments.model else arguments.pretrained
        model = _folder(arguments.model, pretrained, arguments.accept_license)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    command = [sys.executable, "-m", "backend.clip.export.calibrate", "--model", str(model)]
    command += ["--cache", str(cache() / "calibration"), "--data", arguments.data or str(cache() / "photographs")]
    command += ["--no-download"] if arguments.data else []
    try:
        return subprocess.run(command, cwd=PROJECT, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 130


def _folder(model: str, pretrained: str, accept_license: bool) -> Path:
    """The exported folder that a name stands for; what is not exported yet is exported.

    Raises:
        ModelError, OSError: there is none, or it is the one in the sources.
    """
    folder = Path(model).resolve()
    if model == BUNDLED or folder == CLIP / "model":
        raise ModelError(
            "The bundled model is calibrated already (training/README.md). Copy backend/clip/model, and name the copy."
        )
    if (folder / "model.json").is_file():
        return folder
    return exported(model, pretrained, cache(), {}, accept_license)


if __name__ == "__main__":
    sys.exit(main())
