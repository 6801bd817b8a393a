"""What counts as recognized where the user wants to be surer than the service."""

from collections.abc import Mapping
from typing import Any


def weighed(answer: Mapping[str, Any], least: float) -> Mapping[str, Any]:
    """An answer to a photo without the words that are less sure than ``least``, 0 to 1.

    ``recognized`` says whether the first label still is. Where no label counts but a tag does, the surest tag is the
    word instead of one, so that a photo has such a word whenever it has keywords. The service's own threshold holds as
    well.
    """
    if "error" in answer or not least:
        return answer
    said = dict(answer)
    said["recognized"] = bool(said.get("recognized")) and said.get("confidence", 0.0) >= least
    if "tags" in said:
        said["tags"] = [tag for tag in said["tags"] if tag["confidence"] >= least]
    if (said.get("instead") or {}).get("confidence", 0.0) < least:
        said.pop("instead", None)
        if not said["recognized"] and said.get("tags"):
            surest = max(said["tags"], key=lambda tag: tag["confidence"])
            said["instead"] = {name: surest[name] for name in ("label", "label_en", "confidence") if name in surest}
    return said
