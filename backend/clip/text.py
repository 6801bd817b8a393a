"""Labels that a caller gives to embeddings: open_clip's text cleaning and BPE, the exported text tower, a cache."""

import html
import threading
from collections.abc import Sequence
from pathlib import Path

import ftfy
import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .engine import compile_tower
from .errors import BadParameter
from .manifest import Manifest

DEFAULT_TEMPLATE = "a photo of a {}."
_CACHED_LABELS = 8192
_BATCH = 64
_LENGTH_STEP = 4


def clean(text: str) -> str:
    """Clean text as open_clip's tokenizer does: mend the encoding, decode entities, fold white space, lower case."""
    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split()).lower()


class LabelEncoder:
    """Label embeddings by the text tower of an exported model folder, which is loaded when it is first needed."""

    def __init__(self, folder: Path, manifest: Manifest, *, precision: str | None = None) -> None:
        self._manifest = manifest
        self._tower = compile_tower(folder / "text.xml", precision=precision)
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._cache: LRUCache[str, NDArray[np.float32]] = LRUCache(_CACHED_LABELS)
        self._lock = threading.Lock()

    def encode(self, labels: Sequence[str], template: str) -> NDArray[np.float32]:
        """Encode labels in one prompt template.

        Args:
            labels: any text.
            template: contains ``{}`` where the label goes.

        Returns:
            float32 [labels, dim], rows of unit length.

        Raises:
            BadParameter: a prompt is over the context length of the model.
        """
        prompts = [template.replace("{}", label) for label in labels]
        with self._lock:
            missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._cache]
            new = dict(zip(missing, self._embed(missing), strict=True)) if missing else {}
            rows = {prompt: new[prompt] if prompt in new else self._cache[prompt] for prompt in prompts}
            self._cache.update(new)
        return np.array([rows[prompt] for prompt in prompts])

    def tokenize(self, prompts: Sequence[str]) -> list[list[int]]:
        """Token ids of each prompt, between the start and the end token, not padded."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch([clean(prompt) for prompt in prompts])]

    def _embed(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        tokens = self.tokenize(prompts)
        context = self._manifest.context_length
        for prompt, ids in zip(prompts, tokens, strict=True):
            if len(ids) > context:
                shown = prompt if len(prompt) <= 80 else prompt[:80] + "…"
                raise BadParameter(f"The prompt '{shown}' has {len(ids)} tokens; at most {context} are accepted.")
        rows = np.empty((len(prompts), self._manifest.embedding_dim), np.float32)
        # Prompts of similar length go together, so that few tokens of padding are computed.
        order = sorted(range(len(prompts)), key=lambda i: len(tokens[i]))
        request = self._tower.create_infer_request()
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            request.infer([self._padded([tokens[i] for i in batch])])
            rows[batch] = request.get_output_tensor().data
        return rows

    def _padded(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.int64]:
        context = self._manifest.context_length
        length = max(len(ids) for ids in tokens)
        # Causal attention never looks at what follows the end token. Few lengths keep the compiled kernels few.
        width = min(context, -(-length // _LENGTH_STEP) * _LENGTH_STEP) if self._manifest.trims_padding else context
        padded = np.zeros((len(tokens), width), np.int64)
        for row, ids in zip(padded, tokens, strict=True):
            row[: len(ids)] = ids
        return padded
