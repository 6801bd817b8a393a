"""Labels that the service has not encoded before."""

_WORDS = "a photo of schön Ã¼ ÃƒÂ¼ â€œquoteâ€\x9d "
"""Text whose encoding went wrong, which costs most to mend."""


def new_labels(number: int, count: int = 1000) -> list[str]:
    """Labels of 190 characters and some sixty tokens, others for every number."""
    return [f"{number} {i} {_WORDS * 5}"[:190] for i in range(count)]
