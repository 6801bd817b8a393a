"""The memory of request bodies: what is held at a time is bounded, and small bodies never wait for large ones."""

import threading

# A body up to this size is not counted: what all of them take together is little.
SMALL = 1 << 20


class Memory:
    """The sizes of the bodies that are held, being received or being handled. Thread-safe.

    Together the counted ones take at most `limit` bytes and one body more: the oldest may always grow, so that bodies
    of which each waits for the others' end cannot come to be.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._sizes: dict[object, int] = {}  # the oldest first
        self._total = 0

    def has_room(self, owner: object, size: int) -> bool:
        """Whether the owner's body, now of this size, may grow."""
        with self._lock:
            return size < SMALL or self._total < self._limit or next(iter(self._sizes), owner) is owner

    def hold(self, owner: object, size: int) -> None:
        if size >= SMALL:
            with self._lock:
                self._total += size - self._sizes.get(owner, 0)
                self._sizes[owner] = size

    def release(self, owner: object) -> None:
        with self._lock:
            self._total -= self._sizes.pop(owner, 0)
