"""Encodes a caller's labels: the tokens of the model's kind, the exported text tower, and a cache of embeddings."""

import threading
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..deadline import Deadline
from ..errors import BadParameter, TooManyLabels
from ..limits import MAX_NEW_LABEL_TOKENS
from ..manifest import Manifest
from ..priority_semaphore import PrioritySemaphore
from .engine import Runner, compile_tower
from .model_kinds import KINDS, PLAIN, ModelKind

DEFAULT_TEMPLATE = "a photo of a {}."
_CACHE_BYTES = 32 << 20
# What an entry takes beside its embedding: the key of up to 77 tokens, and Python's dictionaries and objects.
_ENTRY_BYTES = 1000
_ID_BYTES = 4
# A batch has at most so many rows, and costs at most so many tokens. Batches are small so that images get their share
# of the processors, and a request can stop early.
_BATCH = 16
_BATCH_TOKENS = 16 * 77
# Other text takes up to 17 us a character, also where its embedding is in the cache. A token has about four characters.
MAX_MENDED_CHARACTERS = 4 * MAX_NEW_LABEL_TOKENS

Tokens = bytes
"""Token ids of a prompt as int32, special ones included, not padded. A tuple of them takes ten times the
memory."""


def count_tokens(prompts: Iterable[Tokens]) -> int:
    return sum(map(len, prompts)) // _ID_BYTES


class LabelEncoder:
    """Encodes texts with the text tower of an exported model folder, which is loaded when it is first needed."""

    def __init__(
        self, folder: Path, manifest: Manifest, *, precision: str = "f32", limit: int | None = MAX_NEW_LABEL_TOKENS
    ) -> None:
        """``limit``: how many tokens may be new in one call; None where nobody waits for others."""
        self._folder = folder
        self._manifest = manifest
        self._precision = precision
        self._limit = limit
        self._kind: ModelKind = KINDS[manifest.kind](folder, manifest)
        self._rows = max(1, min(_BATCH, _BATCH_TOKENS // self._kind.length(1)))
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Bytes: a row of an array would keep the whole array in memory.
        self._cache: LRUCache[Tokens, bytes] = LRUCache(_CACHE_BYTES, lambda row: len(row) + _ENTRY_BYTES)
        self._cache_lock = threading.Lock()
        self._hits = self._misses = 0
        self._cleaning = PrioritySemaphore(1)
        self._turns = PrioritySemaphore(1)

    def encode(self, labels: Sequence[str], template: str, deadline: Deadline) -> NDArray[np.float32]:
        """Encode labels in one prompt template, which contains ``{}`` where the label goes.

        See ``tokens`` and ``embed`` for what is returned and raised.
        """
        return self.embed(self.tokens([template.replace("{}", label) for label in labels], deadline), deadline)

    def tokens(self, prompts: Sequence[str], deadline: Deadline) -> list[Tokens]:
        """Clean and tokenize prompts.

        Raises:
            BadParameter: a prompt is over the context length of the model.
            TooManyLabels: the new prompts have more than ``MAX_NEW_LABEL_TOKENS`` tokens; the rest is not looked at. Or
                those that are not plain ASCII have more than ``MAX_MENDED_CHARACTERS`` characters.
            Busy: the time of the request is over.
        """
        mended = sum(len(prompt) for prompt in prompts if not PLAIN.fullmatch(prompt))
        if mended > MAX_MENDED_CHARACTERS:
            raise TooManyLabels(
                f"The prompts that are not plain ASCII have {mended:,} characters, and at most "
                f"{MAX_MENDED_CHARACTERS:,} are read for one request. Send them in several requests."
            )
        tokens: list[Tokens] = []
        new: set[Tokens] = set()
        for start in range(0, len(prompts), _BATCH):
            # Cleaning runs in Python: if several requests did it at a time, they would slow down all others.
            with self._cleaning.take(len(prompts) - start, deadline):
                batch = self._tokens(prompts[start : start + _BATCH])
            new.update(set(batch) - set(self._cached(batch)))
            self._require_few(new)
            tokens += batch
        return tokens

    def embed(self, tokens: Sequence[Tokens], deadline: Deadline) -> NDArray[np.float32]:
        """Encode prompts.

        What was encoded before comes from the cache and does not wait for the text tower. The rest goes through it, one
        batch of one request at a time, and first of who has the least left, so that few labels never wait for many;
        what is done stays in the cache, even where the time of the request ends before the last batch.

        Returns:
            float32 [prompts, dim], rows of unit length.

        Raises:
            TooManyLabels: the new prompts have more than ``MAX_NEW_LABEL_TOKENS`` tokens.
            Busy: the time of the request is over.
        """
        rows = self._cached(tokens)
        new = sorted({ids for ids in tokens if ids not in rows}, key=len)
        with self._cache_lock:
            self._hits += len(rows)
            self._misses += len(new)
        self._require_few(new)
        for start in range(0, len(new), self._rows):
            with self._turns.take(len(new) - start, deadline):
                rows |= self._embed(new[start : start + self._rows])
        return np.frombuffer(b"".join([rows[ids] for ids in tokens]), np.float32).reshape(len(tokens), -1)

    def cache_usage(self) -> tuple[int, int, int]:
        """How many prompts of requests were in the cache and how many were not, and what it takes, in bytes."""
        with self._cache_lock:
            return self._hits, self._misses, int(self._cache.currsize)

    def tokenize(self, prompt: str) -> list[int]:
        """Token ids of a prompt of any length, special ones included."""
        ids: list[int] = self._tokenizer.encode(self._kind.clean(prompt)).ids
        return ids

    def _require_few(self, new: Collection[Tokens]) -> None:
        if (
            self._limit is None
            or (price := sum(self._kind.length(len(ids) // _ID_BYTES) for ids in new)) <= self._limit
        ):
            return
        if (most := self._manifest.max_new_labels) is not None:
            raise TooManyLabels(
                f"There are too many new labels: {len(new):,} or more are new to the service, and this model encodes "
                f"at most {most:,} for one request. Send them in several requests."
            )
        raise TooManyLabels(
            f"There is too much new text: the prompts of the first {len(new):,} new ones have {price:,} tokens, and "
            f"at most {self._limit:,} are encoded for one request. Send them in several requests."
        )

    def _tokens(self, prompts: Sequence[str]) -> list[Tokens]:
        """Tokenize until a prompt is too long: cleaning megabytes of text would take seconds.

        Raises:
            BadParameter: for that prompt.
        """
        context = self._manifest.context_length
        tokens = []
        for prompt in prompts:
            ids = self.tokenize(prompt)
            if len(ids) > context:
                shown = prompt if len(prompt) <= 80 else prompt[:80] + "…"
                raise BadParameter(f"The prompt '{shown}' has {len(ids)} tokens; at most {context} are accepted.")
            tokens.append(np.array(ids, np.int32).tobytes())
        return tokens

    def _cached(self, tokens: Sequence[Tokens]) -> dict[Tokens, bytes]:
        with self._cache_lock:
            return {ids: row for ids in tokens if (row := self._cache.get(ids)) is not None}

    def _embed(self, batch: Sequence[Tokens]) -> dict[Tokens, bytes]:
        """The embeddings of the batch: from the text tower, or from the cache if another request has put them there."""
        rows = self._cached(batch)
        new = [ids for ids in batch if ids not in rows]
        if new:
            ids = [np.frombuffer(each, np.int32) for each in new]
            embeddings = self._tower.infer(self._kind.pad(ids, self._rows))[0]
            done = {ids: row.tobytes() for ids, row in zip(new, embeddings, strict=False)}
            with self._cache_lock:
                self._cache.update(done)
            rows |= done
        return rows

    @cached_property
    def _tower(self) -> Runner:
        shortest = self._kind.pad([np.zeros(1, np.int32)], 1)
        return Runner(compile_tower(self._folder / "text.xml", precision=self._precision, example=shortest))
