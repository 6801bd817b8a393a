"""A limit on the memory that all request bodies take together. Small bodies never wait for large ones."""

import threading

# Bodies smaller than this are not counted: all of them together take little.
_SMALL = 1 << 20
# How much a body that is being received is expected to grow. When memory is short the newest bodies wait, so that older
# ones arrive completely, are handled and leave. Otherwise all of them would stop half way.
_GROWTH = 4 << 20


class BodyMemory:
    """The sizes of the bodies that are being received or handled. Its methods may be called from any number of threads.

    The bodies that are counted take at most ``limit`` bytes and one body more: the oldest may always grow, or bodies
    could wait for each other for ever.
    """

    def __init__(self, limit: int) -> None:
        """``limit`` in bytes."""
        self._limit = limit
        self._lock = threading.Lock()
        self._sizes: dict[object, int] = {}  # the oldest first
        self._growing: dict[object, None] = {}
        self._total = 0

    def has_room(self, owner: object, size: int) -> bool:
        """Whether the owner's body, which has this size now, may grow."""
        if size < _SMALL:
            return True
        with self._lock:
            if next(iter(self._sizes)) is owner:
                return True
            older = list(self._growing).index(owner)
            return self._total + older * _GROWTH < self._limit

    def hold(self, owner: object, size: int, complete: bool) -> None:
        """Record the size of the owner's body, and whether all of it has arrived."""
        if size < _SMALL:
            return
        with self._lock:
            self._total += size - self._sizes.get(owner, 0)
            self._sizes[owner] = size
            if complete:
                self._growing.pop(owner, None)
            else:
                self._growing[owner] = None

    def release(self, owner: object) -> None:
        """Forget the owner's body."""
        with self._lock:
            self._total -= self._sizes.pop(owner, 0)
            self._growing.pop(owner, None)
