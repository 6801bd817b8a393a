"""Continues an interrupted run: computed data, and the state after every epoch, are kept in files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def resume(checkpoint: Path, state: Mapping[str, Any]) -> int:
    """Load into ``state`` what ``keep`` has written, if it has, and return the number of epochs until then."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    epochs = int(saved.pop("epochs"))
    for name, values in saved.items():
        state[name].load_state_dict(values)
    return epochs


def keep(checkpoint: Path, state: Mapping[str, Any], epochs: int) -> None:
    """Write the ``state`` after so many epochs. If this is interrupted, the previous file stays."""
    partial = checkpoint.with_suffix(".partial")
    torch.save({"epochs": epochs, **{name: part.state_dict() for name, part in state.items()}}, partial)
    partial.replace(checkpoint)


def once(path: Path, compute: Callable[[], Tensor]) -> Tensor:
    """The result of ``compute``, which is read from ``path`` if it was computed before."""
    if not path.exists():
        unfinished = path.with_suffix(".partial")
        torch.save(compute(), unfinished)
        unfinished.replace(path)
    result: Tensor = torch.load(path, weights_only=True)
    return result
