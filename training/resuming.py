"""An interrupted run goes on: what was computed once, and the state after every epoch, are kept in files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def resume(checkpoint: Path, state: Mapping[str, Any]) -> int:
    """Loads into `state` what `keep` wrote, where there is something, and returns after how many epochs that was."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    epochs = int(saved.pop("epochs"))
    for name, values in saved.items():
        state[name].load_state_dict(values)
    return epochs


def keep(checkpoint: Path, state: Mapping[str, Any], epochs: int) -> None:
    """Writes the `state` after so many epochs; an interruption leaves the file that was there."""
    partial = checkpoint.with_suffix(".partial")
    torch.save({"epochs": epochs, **{name: part.state_dict() for name, part in state.items()}}, partial)
    partial.replace(checkpoint)


def once(path: Path, compute: Callable[[], Tensor]) -> Tensor:
    """What `compute` gives, or gave when `path` was written."""
    if not path.exists():
        unfinished = path.with_suffix(".partial")
        torch.save(compute(), unfinished)
        unfinished.replace(path)
    result: Tensor = torch.load(path, weights_only=True)
    return result
