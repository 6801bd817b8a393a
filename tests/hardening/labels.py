"""Labels that nobody has asked for before."""

_WORDS = "photograph of something nobody has ever asked for before in this place at night with lights and people "


def new_labels(number: int, count: int = 1000) -> list[str]:
    """Labels of some sixty tokens and under 200 characters, others for every number."""
    return [f"{number} {i} {i * 7919 % 10007} {_WORDS}{_WORDS}"[:190] for i in range(count)]
