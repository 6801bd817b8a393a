"""How a model wants its images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preprocessing:
    """The fields and their values are those of open_clip's ``PreprocessCfg``."""

    size: tuple[int, int]
    """Height and width in pixels."""
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill_color: int = 0

    @classmethod
    def from_open_clip(cls, config: Mapping[str, Any]) -> "Preprocessing":
        """Take over what ``open_clip.get_model_preprocess_cfg`` returns; its size may be one number for both sides."""
        height, width = config["size"] if isinstance(config["size"], (tuple, list)) else (config["size"],) * 2
        return cls((height, width), config["resize_mode"], config["interpolation"], config["fill_color"])
