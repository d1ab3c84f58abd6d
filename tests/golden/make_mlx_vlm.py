"""Make tests/golden/mlx_vlm/: a tiny model as mlx-vlm 0.7.10 converts and quantises it, recipe mixed_4_8, two shards.

Run where mlx-vlm is, which the project itself never needs:

    python -m venv /tmp/peer && /tmp/peer/bin/pip install mlx-vlm==0.7.10 "mlx[cpu]"
    /tmp/peer/bin/python tests/golden/make_mlx_vlm.py

Its `convert` wants a processor beside the weights; ours is a stand-in, since only weights and config are looked at.
tests/golden/make.py then asks transformers what the dequantised weights answer.
"""

# ruff: noqa: T201 (a script of its own, that reports as it goes)

import sys
import tempfile
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for name in ("mlx_gemma", "mlx_gemma.selftest"):
    package = types.ModuleType(name)
    package.__path__ = [str(ROOT / name.replace(".", "/"))]
    sys.modules[name] = package

import mlx_vlm.convert  # noqa: E402  (the package hides this module behind a function of its name)
import mlx_vlm.utils  # noqa: E402

from mlx_gemma.selftest.cases import PEER  # noqa: E402
from mlx_gemma.selftest.draw import draw_weights  # noqa: E402
from mlx_gemma.selftest.folder import write_folder  # noqa: E402

SHARD_BYTES = 150_000


class Processor:
    def save_pretrained(self, folder: Any) -> None: ...


def small_shards(weights: dict[str, Any], max_file_size_gb: int = 0) -> list[dict[str, Any]]:
    """mlx-vlm's own way of splitting, at a size that a tiny model reaches."""
    shards: list[dict[str, Any]] = [{}]
    for key, value in weights.items():
        if sum(each.nbytes for each in shards[-1].values()) + value.nbytes > SHARD_BYTES:
            shards.append({})
        shards[-1][key] = value
    return shards


def main() -> None:
    """Write the folder."""
    convert = sys.modules["mlx_vlm.convert"]
    mlx_vlm.utils.load_processor = lambda *_, **__: Processor()
    mlx_vlm.utils.make_shards = small_shards
    target = ROOT / "tests" / "golden" / "mlx_vlm"
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "published"
        write_folder(source, PEER.config, draw_weights(PEER.config, PEER.seed), "bfloat16")
        convert.convert(str(source), str(target), quantize=True, quant_predicate="mixed_4_8")
    for extra in ("README.md", "published"):
        (target / extra).unlink(missing_ok=True)
    print(f"mlx-vlm {version('mlx-vlm')}:", *sorted(path.name for path in target.iterdir()))


if __name__ == "__main__":
    main()
