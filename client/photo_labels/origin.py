"""What the results in a file are of. Results of another folder, service or choice of labels must not pass for these."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Origin:
    """Everything that decides what the results of a run are, beside the photos themselves."""

    folder: str
    """Its absolute path."""
    service: str
    """The address of ``clip``."""
    model: str
    options: Mapping[str, str]
    """The parameters of each request (see docs/api.md), and what else decides which words count."""

    @classmethod
    def read(cls, said: Any) -> "Origin":
        """Read what ``written`` has returned.

        Raises:
            ValueError: it is something else.
        """
        if not (isinstance(said, dict) and said.keys() == {"folder", "service", "model", "options"}):
            raise ValueError(said)
        options = said["options"]
        texts = [said["folder"], said["service"], said["model"]]
        if not isinstance(options, dict) or not all(isinstance(each, str) for each in (*texts, *options.values())):
            raise ValueError(said)
        return cls(said["folder"], said["service"], said["model"], options)

    def written(self) -> dict[str, Any]:
        """The same in the types of JSON."""
        return {
            "folder": self.folder,
            "service": self.service,
            "model": self.model,
            "options": dict(self.options),
        }

    def differences(self, here: "Origin") -> list[str]:
        """What is another one here, each in a few words."""
        return [f"{name} {before}, {now} here" for name, before, now in self._differing(here)]

    def _differing(self, here: "Origin") -> Iterator[tuple[str, str, str]]:
        for name in ("folder", "service", "model"):
            if getattr(self, name) != getattr(here, name):
                yield f"the {name}", getattr(self, name), getattr(here, name)
        for name in sorted({*self.options, *here.options}):
            before, now = (each.options.get(name) for each in (self, here))
            if before != now:
                yield f"--{name.replace('_', '-')}", before or "not given", now or "not given"


def without_password(url: str) -> str:
    """An address as it may stand in a file that is passed on."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
