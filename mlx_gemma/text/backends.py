"""The two files a vocabulary comes in, behind one small interface: text to ids, and an id to its piece."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from mlx_gemma.text import control
from vision.errors import TokenizerError

# U+2581 is how vocabularies write a space; Gemma's has runs of 2 to 31 of them as pieces
_TYPED_SPACES = "\u2581\u2581"
_TYPED_RUN = re.compile("(\u2581{2,31})")


class Backend(Protocol):
    """What a Tokenizer needs of a vocabulary file."""

    @property
    def size(self) -> int:
        """Number of pieces, those added after training included."""
        ...

    @property
    def control(self) -> Mapping[str, int]:
        """Every control piece and its id."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, none of them a control id."""
        ...

    def piece(self, index: int) -> str | None:
        """The piece of an id as the vocabulary spells it; None for control pieces and ids beyond the vocabulary."""
        ...


class SentencePieceFile:
    """tokenizer.model: a serialised SentencePiece model. Opens in about 0.1 s for 262,144 pieces."""

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        stored = read(path)
        model, names = control.protect(stored)
        try:
            if not stored:
                raise RuntimeError("the file is empty")
            self._pieces = SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise TokenizerError(
                f"{path}: wanted a SentencePiece model, got one that does not open ({error}); "
                "copy the file from the checkpoint again"
            ) from error
        self.size = self._pieces.get_piece_size()
        self.control = {name: self._pieces.piece_to_id(name) for name in names}
        for name, index in self.control.items():
            if not (self._pieces.is_control(index) or self._pieces.is_unknown(index)):
                raise TokenizerError(
                    f"{path}: {name} is declared in a way that text could spell it; is this a Gemma tokenizer?"
                )

    def encode(self, text: str) -> list[int]:
        if _TYPED_SPACES not in text:
            return self._pieces.encode(text)
        # tokenizer.json, the reference, keeps a run of typed U+2581 apart from true spaces beside it
        parts = _TYPED_RUN.split(text)
        return [index for part in parts if part for index in self._pieces.encode(part)]

    def piece(self, index: int) -> str | None:
        if not 0 <= index < self.size or self._pieces.is_control(index) or self._pieces.is_unknown(index):
            return None
        return self._pieces.id_to_piece(index)


class JsonFile:
    """tokenizer.json: what the `tokenizers` package reads. About 1 s to open; used for want of a tokenizer.model."""

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer as JsonTokenizer
        except ImportError as error:
            raise TokenizerError(
                f"{path}: wanted the tokenizers package to read it, got none; pip install tokenizers, "
                "or put the checkpoint's tokenizer.model beside it"
            ) from error
        content = read(path)
        try:
            stored = content.decode()
            added, start, end = _added_tokens(stored)
            text = [token for token in added if not _steers(token)]
            # The package splits text at every added token it knows, so it is told of those that are text only.
            opened = JsonTokenizer.from_str(stored[:start] + json.dumps(text) + stored[end:])
        except Exception as error:  # the package raises bare Exception for a file it cannot read
            raise TokenizerError(
                f"{path}: wanted a tokenizer.json, got one that does not open ({error}); "
                "copy the file from the checkpoint again"
            ) from error
        opened.no_truncation()
        opened.no_padding()
        self._pieces = opened
        self.control = {token["content"]: int(token["id"]) for token in added if _steers(token)}
        self._control_ids = frozenset(self.control.values())
        self.size = max(opened.get_vocab_size(), 1 + max(self._control_ids, default=0))

    def encode(self, text: str) -> list[int]:
        return self._pieces.encode(text, add_special_tokens=False).ids

    def piece(self, index: int) -> str | None:
        return None if index in self._control_ids or index < 0 else self._pieces.id_to_token(index)


def read(path: Path) -> bytes:
    """The file's bytes. Raises TokenizerError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TokenizerError(
            f"{path}: wanted a tokenizer file, got {error.strerror}; name a tokenizer.model or a "
            "tokenizer.json"
        ) from error


def _steers(token: dict[str, Any]) -> bool:
    return bool(token.get("special")) or control.is_control(token["content"])


def _added_tokens(stored: str) -> tuple[list[dict[str, Any]], int, int]:
    """The list under "added_tokens" and where it stands, read without parsing the 30 MB around it."""
    key = re.search(r'"added_tokens"\s*:\s*(?=\[)', stored)
    if key is None:
        raise ValueError('it has no "added_tokens" list')
    added, end = json.JSONDecoder().raw_decode(stored, key.end())
    return added, key.end(), end
