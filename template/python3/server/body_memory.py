"""The memory of request bodies: what is held at a time is bounded, and small bodies never wait for large ones."""

import threading

# A body up to this size is not counted: what all of them take together is little.
SMALL = 1 << 20
# What a body that is being received is expected to grow by. Under pressure the youngest wait first, so that the others
# are complete, handled and gone soon; else all would stop half way.
_GROWTH = 4 << 20


class BodyMemory:
    """The sizes of the bodies that are held, being received or being handled. Thread-safe.

    Together the counted ones take at most `limit` bytes and one body more: the oldest may always grow, so that bodies
    of which each waits for the others' end cannot come to be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._sizes: dict[object, int] = {}  # the oldest first
        self._growing: dict[object, None] = {}
        self._total = 0

    def has_room(self, owner: object, size: int) -> bool:
        """Whether the owner's body, now of this size, may grow."""
        if size < SMALL:
            return True
        with self._lock:
            if next(iter(self._sizes)) is owner:
                return True
            older = list(self._growing).index(owner)
            return self._total + older * _GROWTH < self._limit

    def hold(self, owner: object, size: int, complete: bool) -> None:
        if size < SMALL:
            return
        with self._lock:
            self._total += size - self._sizes.get(owner, 0)
            self._sizes[owner] = size
            if complete:
                self._growing.pop(owner, None)
            else:
                self._growing[owner] = None

    def release(self, owner: object) -> None:
        with self._lock:
            self._total -= self._sizes.pop(owner, 0)
            self._growing.pop(owner, None)
