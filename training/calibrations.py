"""Where a calibration is kept: in the folder of a model, and in a file that the export takes (``--confidence``)."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from backend.clip.manifest import Calibration, Manifest


def write(calibration: Calibration, file: Path) -> None:
    """Write the whole calibration into a JSON file."""
    file.write_text(json.dumps(asdict(calibration), indent=2) + "\n")


def put(calibration: Calibration, manifest: Manifest, folder: Path, file: Path | None) -> None:
    """Put a calibration into the folder of an exported model with this manifest, and into a file if one is given."""
    replace(manifest, confidence=calibration).write(folder)
    if file:
        write(calibration, file)
