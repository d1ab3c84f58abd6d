"""Text to ids and back, where text is only ever text.

Whatever a user or a document spells (`<end_of_turn>`, `<start_of_image>`, `<unused95>`), `encode` gives the ids of
those characters, never a control id; control ids come from `special` and enter a prompt in prompt.py alone. Ids equal
those of the checkpoint's own tokenizer for all other text (Gemma 3 report, section 2.2: SentencePiece with split
digits, preserved whitespace and byte-level encodings, 262k entries).
"""

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlx_gemma.text import control
from mlx_gemma.text.backends import Backend, JsonFile, SentencePieceFile, read
from vision.errors import TokenizerError

_SPACE = "\u2581"  # how a vocabulary spells a space
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SURROGATE = re.compile(
    "[\ud800-\udfff]"
)  # half a character of UTF-16: no text, and no vocabulary can hold it


class Tokenizer:
    """A checkpoint's vocabulary. `encode` adds no BOS and makes no control ids; `decode` shows none."""

    def __init__(self, backend: Backend, added: Mapping[str, int] | None = None) -> None:
        """`added`: control pieces beyond the file's own, such as `<image_soft_token>` after a SentencePiece model."""
        special = {**backend.control, **(added or {})}
        self._backend = backend
        self.special: Mapping[str, int] = MappingProxyType(special)
        self.control_ids = frozenset(special.values())
        self.vocab_size = max(backend.size, 1 + max(self.control_ids, default=0))
        self._forbidden = self.control_ids - {special.get(control.UNKNOWN)}

    @classmethod
    def from_file(cls, path: str | Path) -> "Tokenizer":
        """Open a tokenizer.model (SentencePiece) or a tokenizer.json. Raises TokenizerError."""
        path = Path(path)
        return cls(JsonFile(path) if path.suffix == ".json" else SentencePieceFile(path))

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Tokenizer":
        """Open a checkpoint's tokenizer: tokenizer.model if it is there, else tokenizer.json. Raises TokenizerError."""
        folder = Path(folder)
        added = _added_pieces(folder)
        if (folder / "tokenizer.model").is_file():
            return cls(SentencePieceFile(folder / "tokenizer.model"), added)
        if (folder / "tokenizer.json").is_file():
            return cls(JsonFile(folder / "tokenizer.json"), added)
        raise TokenizerError(
            f"{folder}: wanted tokenizer.model or tokenizer.json, got neither; copy one of them "
            "from the checkpoint this model was made from"
        )

    def encode(self, text: str) -> list[int]:
        """Ids of `text`: no BOS, and no control id whatever the text spells."""
        ids = self._backend.encode(_SURROGATE.sub("\ufffd", text))
        if not self._forbidden.isdisjoint(ids):
            raise TokenizerError(
                "the vocabulary turned text into a control piece; its file is not a Gemma tokenizer's"
            )
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`; control pieces show as nothing, bytes that are no UTF-8 as U+FFFD."""
        return b"".join(map(self.piece_bytes, ids)).decode("utf-8", "replace")

    def piece_bytes(self, index: int) -> bytes:
        """The UTF-8 bytes, perhaps only part of a character, that an id stands for; empty for a control piece."""
        piece = self._backend.piece(index)
        if piece is None:
            return b""
        byte = _BYTE.fullmatch(piece)
        return bytes([int(byte[1], 16)]) if byte else piece.replace(_SPACE, " ").encode()

    def control(self, name: str) -> int:
        """The id of a control piece. Raises TokenizerError when this vocabulary has no such piece."""
        try:
            return self.special[name]
        except KeyError:
            raise TokenizerError(
                f"wanted a vocabulary with {name}, got one without; is this a Gemma 3 tokenizer, with "
                "its added_tokens.json or tokenizer_config.json beside it?"
            ) from None


class Detokenizer:
    """Ids to text as they come, in whole characters: what `add` and `finish` return joins to `Tokenizer.decode`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, index: int) -> str:
        """The characters completed by this id; often one word, sometimes nothing."""
        return self._utf8.decode(self._tokenizer.piece_bytes(index))

    def finish(self) -> str:
        """What a stream that ended inside a character leaves behind (U+FFFD); then the next stream may start."""
        return self._utf8.decode(b"", final=True)


def _added_pieces(folder: Path) -> dict[str, int]:
    """Control pieces that a folder adds to its SentencePiece model, from whichever of Hugging Face's files has them."""
    if (folder / "added_tokens.json").is_file():
        added: dict[str, int] = _json(folder / "added_tokens.json")
    elif (folder / "tokenizer_config.json").is_file():
        entries = _json(folder / "tokenizer_config.json").get("added_tokens_decoder", {})
        added = {entry["content"]: int(index) for index, entry in entries.items()}
    else:
        return {}
    return {name: index for name, index in added.items() if control.is_control(name)}


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(read(path))
    except ValueError as error:
        raise TokenizerError(
            f"{path}: wanted JSON, got {error}; copy the file from the checkpoint again"
        ) from error
