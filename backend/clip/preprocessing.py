"""How a model wants its images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocessing:
    """The fields and their values are those of open_clip's ``PreprocessCfg``."""

    size: tuple[int, int]
    """Height and width in pixels."""
    resize_mode: str = "shortest"
    interpolation: str = "bicubic"
    fill_color: int = 0
