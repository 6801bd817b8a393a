"""ImageNet's 1,000 classes by their names."""

from functools import cache

from timm.data.imagenet_info import ImageNetInfo


@cache
def _names() -> list[list[str]]:
    return [[name.strip().casefold() for name in names.split(",")] for names in ImageNetInfo().label_descriptions()]


def classes_called(name: str) -> frozenset[int]:
    """Positions (ILSVRC-2012) of the classes whose first name is ``name``, or else of those that have it among their
    names: cranes are birds and machines."""
    wanted = name.casefold()
    first = frozenset(position for position, names in enumerate(_names()) if names[0] == wanted)
    return first or frozenset(position for position, names in enumerate(_names()) if wanted in names)
