"""Encodes a caller's labels: open_clip's text cleaning and BPE, the exported text tower, and a cache of embeddings."""

import html
import re
import threading
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import ftfy
import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..deadline import Deadline
from ..errors import BadParameter, TooManyLabels
from ..limits import MAX_NEW_LABEL_TOKENS
from ..manifest import Manifest
from ..priority_semaphore import PrioritySemaphore
from .engine import compile_tower, ov

DEFAULT_TEMPLATE = "a photo of a {}."
_CACHE_BYTES = 32 << 20
# What an entry takes beside its embedding: the key of up to 77 tokens, and Python's dictionaries and objects.
_ENTRY_BYTES = 1000
_ID_BYTES = 4
# The engine keeps about 10 MB for each input shape (ViT-B/32). There are six shapes: this many rows, and these widths
# or the model's context. The batches are small so that images get their share of the processors, and a request can stop
# early.
_BATCH = 16
_WIDTHS = (12, 16, 24, 32, 48)
# In such text there is nothing to mend or to decode.
_PLAIN = re.compile(r"[ -%'-~]*+")
# Other text takes up to 17 us a character, also where its embedding is in the cache. A token has about four characters.
MAX_MENDED_CHARACTERS = 4 * MAX_NEW_LABEL_TOKENS

Tokens = bytes
"""Token ids of a prompt as int32, between the start and the end token, not padded. A tuple of them takes ten times the
memory."""


def clean(text: str) -> str:
    """Clean text as open_clip's tokenizer does: mend the encoding, decode entities, fold white space, lower case."""
    if not _PLAIN.fullmatch(text):
        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


def _require_few(new: Collection[Tokens]) -> None:
    count = count_tokens(new)
    if count > MAX_NEW_LABEL_TOKENS:
        raise TooManyLabels(
            f"There is too much new text: the prompts of the first {len(new):,} new ones have {count:,} tokens, and "
            f"at most {MAX_NEW_LABEL_TOKENS:,} are encoded for one request. Send them in several requests."
        )


def count_tokens(prompts: Iterable[Tokens]) -> int:
    return sum(map(len, prompts)) // _ID_BYTES


class LabelEncoder:
    """Encodes texts with the text tower of an exported model folder, which is loaded when it is first needed."""

    def __init__(self, folder: Path, manifest: Manifest, *, precision: str = "f32") -> None:
        self._folder = folder
        self._manifest = manifest
        self._precision = precision
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
        mended = sum(len(prompt) for prompt in prompts if not _PLAIN.fullmatch(prompt))
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
            _require_few(new)
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
        _require_few(new)
        for start in range(0, len(new), _BATCH):
            with self._turns.take(len(new) - start, deadline):
                rows |= self._embed(new[start : start + _BATCH])
        return np.frombuffer(b"".join([rows[ids] for ids in tokens]), np.float32).reshape(len(tokens), -1)

    def cache_usage(self) -> tuple[int, int, int]:
        """How many prompts of requests were in the cache and how many were not, and what it takes, in bytes."""
        with self._cache_lock:
            return self._hits, self._misses, int(self._cache.currsize)

    def tokenize(self, prompt: str) -> list[int]:
        """Token ids of a prompt of any length, between the start and the end token."""
        ids: list[int] = self._tokenizer.encode(clean(prompt)).ids
        return ids

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
            self._request.infer([self._padded(new)])
            embeddings = self._request.get_output_tensor().data
            done = {ids: row.tobytes() for ids, row in zip(new, embeddings, strict=False)}
            with self._cache_lock:
                self._cache.update(done)
            rows |= done
        return rows

    @cached_property
    def _request(self) -> ov.InferRequest:
        return compile_tower(self._folder / "text.xml", precision=self._precision).create_infer_request()

    def _padded(self, batch: Sequence[Tokens]) -> NDArray[np.int64]:
        width = self._manifest.context_length
        if self._manifest.trims_padding:  # causal attention does not look at what follows the end token
            longest = max(map(len, batch)) // _ID_BYTES
            width = min([width, *(each for each in _WIDTHS if each >= longest)])
        padded = np.zeros((_BATCH, width), np.int64)
        for row, ids in zip(padded, batch, strict=False):
            row[: len(ids) // _ID_BYTES] = np.frombuffer(ids, np.int32)
        return padded
