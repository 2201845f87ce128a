"""The identity prompt: a text prompt in which one word is a face.

Arc2Face (Papantoniou et al., arXiv 2403.11641) uses the prompt "photo of a id person", with an
ArcFace vector, padded with zeros to the width of a token, in place of the embedding of `id`. Its
text encoder was fine-tuned on this prompt only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

PROMPT, TOKEN = "photo of a id person", "id"


class IdentityText:
    """The prompt encoder."""

    def __init__(self, encoder: Any, tokenizer: Any) -> None:
        self.encoder = encoder
        self.tokenizer = tokenizer
        (self._token,) = tokenizer(TOKEN, add_special_tokens=False).input_ids

    @torch.no_grad()
    def of(self, faces: torch.Tensor) -> torch.Tensor:
        """Prompt tokens (n, 77, width) of n identities.

        Args:
            faces: (n, 512) ArcFace vectors of length 1.
        """
        ids = self._ids(PROMPT).expand(faces.shape[0], -1)
        embedding = self.encoder.get_input_embeddings()
        weight = embedding.weight
        token = functional.pad(faces.to(weight), (0, weight.shape[1] - faces.shape[1]))
        with _replaced(embedding, ids == self._token, token):
            return self._encode(ids)

    @torch.no_grad()
    def empty(self) -> torch.Tensor:
        """Tokens (1, 77, width) of the empty prompt, for the rows without conditions."""
        return self._encode(self._ids(""))

    def _ids(self, prompt: str) -> torch.Tensor:
        found = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        ids: torch.Tensor = found.input_ids.to(self.encoder.get_input_embeddings().weight.device)
        return ids

    def _encode(self, ids: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.encoder(ids)[0]
        return out


@contextmanager
def _replaced(embedding: Any, where: torch.Tensor, token: torch.Tensor) -> Iterator[None]:
    """Put row r of `token` (n, width) wherever `where` (n, 77) is true in row r."""

    def put(_: Any, __: Any, embedded: torch.Tensor) -> torch.Tensor:
        return torch.where(where[..., None], token[:, None], embedded)

    hook = embedding.register_forward_hook(put)
    try:
        yield
    finally:
        hook.remove()
