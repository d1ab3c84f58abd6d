"""Make the golden files: what transformers answers to every golden case, in float32.

mlx_gemma/selftest/golden.safetensors for the drawn models, tests/golden/mlx_vlm.safetensors for the one that mlx-vlm
quantised (make_mlx_vlm.py), dequantised.

Run where torch and transformers are, which the project itself never needs:

    python -m venv /tmp/reference && /tmp/reference/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors
    /tmp/reference/bin/python tests/golden/make.py

Eager attention, float32, the model's own forward (for pictures: input_ids, pixel_values and token_type_ids, from which
it builds its masks). Prints the spread of each case's logits and how far they move when the masks are wrong.
"""

# ruff: noqa: T201 (a script of its own, that reports as it goes)

import sys
import types
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    DynamicCache,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
)

ROOT = Path(__file__).resolve().parents[2]
# The cases need NumPy only. A bare parent package lets them be imported where MLX is not.
sys.path.insert(0, str(ROOT))
for name in ("mlx_gemma", "mlx_gemma.selftest"):
    package = types.ModuleType(name)
    package.__path__ = [str(ROOT / name.replace(".", "/"))]
    sys.modules[name] = package

from mlx_gemma.selftest.cases import CASES, KEPT_COLUMNS, PEER, Case, draw_past, draw_pixels  # noqa: E402
from mlx_gemma.selftest.draw import Floats, draw_weights  # noqa: E402
from mlx_gemma.selftest.tiny import IMAGE_SOFT  # noqa: E402
from tests.golden.affine import read_dequantized  # noqa: E402
from tests.model.dialects import spell  # noqa: E402

GOLDEN = ROOT / "mlx_gemma" / "selftest" / "golden.safetensors"
PEER_FOLDER = ROOT / "tests" / "golden" / "mlx_vlm"
PEER_GOLDEN = ROOT / "tests" / "golden" / "mlx_vlm.safetensors"


def build(case: Case, drawn: dict[str, Floats]) -> Any:
    """The reference's model with these weights; every tensor of either side is used."""
    config = {key: value for key, value in case.config.items() if key not in ("architectures", "dtype")}
    if config.pop("model_type") == "gemma3_text":
        model: Any = Gemma3ForCausalLM._from_config(Gemma3TextConfig(**config), attn_implementation="eager")
    else:
        model = Gemma3ForConditionalGeneration._from_config(
            Gemma3Config(**config), attn_implementation="eager"
        )
    weights = {own_name(k): torch.from_numpy(v) for k, v in drawn.items()}
    embedding = next(v for k, v in weights.items() if k.endswith("embed_tokens.weight"))
    model.load_state_dict({**weights, "lm_head.weight": embedding}, strict=True)
    return model.float().eval()


def own_name(name: str) -> str:
    """The published name of a tensor as the reference's module tree has it today."""
    name = name.removeprefix("model.").replace("language_model.model.", "language_model.")
    return "model." + name.replace("vision_tower.vision_model.", "vision_tower.")


def filled_cache(model: Any, case: Case) -> DynamicCache | None:
    """A cache that has seen `case.past` positions."""
    if not case.past:
        return None
    cache = DynamicCache(config=model.config)
    keys, values = (torch.from_numpy(x)[None] for x in draw_past(case))
    for layer in range(model.config.num_hidden_layers):
        cache.update(keys, values, layer)
    assert cache.get_seq_length() == case.past
    return cache


@torch.no_grad()
def answer(model: Any, case: Case, *, image_blocks: bool = True) -> dict[str, torch.Tensor]:
    """What the model makes of a case, with or without the sight that a picture has of itself."""
    ids = torch.tensor([case.ids])
    given: dict[str, Any] = {"input_ids": ids, "past_key_values": filled_cache(model, case)}
    pixels = draw_pixels(case)
    if pixels is None:
        return {"logits": model(**given).logits[0]}
    given["pixel_values"] = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    if image_blocks:
        given["token_type_ids"] = (ids == IMAGE_SOFT).int()
    features = model.get_image_features(given["pixel_values"], return_dict=True).pooler_output
    return {"logits": model(**given).logits[0], "features": features}


def wrong_window(model: Any, case: Case) -> torch.Tensor:
    """The logits with every window one key too wide: how much a golden notices."""
    config = model.config.get_text_config()
    config.sliding_window += 1
    moved = answer(model, case)["logits"]
    config.sliding_window -= 1
    return moved


def check_spellings(case: Case) -> None:
    """That the reference reads the older spellings of a config, as the tests write them, like the newest."""
    traits = (
        "layer_types",
        "rope_parameters",
        "sliding_window",
        "head_dim",
        "query_pre_attn_scalar",
        "hidden_size",
    )
    read = [Gemma3Config(**spell(case.config, dialect)).text_config for dialect in "abcd"]
    for trait in traits:
        assert all(getattr(each, trait) == getattr(read[-1], trait) for each in read), trait


def golden(case: Case, drawn: dict[str, Floats]) -> dict[str, torch.Tensor]:
    """The tensors kept of a case, and a line about it on stdout."""
    model = build(case, drawn)
    got = answer(model, case)
    logits = got["logits"]
    window = (wrong_window(model, case) - logits).abs().max()
    causal = (answer(model, case, image_blocks=False)["logits"] - logits).abs().max()
    print(
        f"{case.name:36} std {logits.std():5.2f}  window one wider {window:6.3f}  pictures causal {causal:6.3f}"
    )
    got["logits"] = logits[:, KEPT_COLUMNS]
    return {f"{case.name}/{key}": tensor.contiguous() for key, tensor in got.items()}


def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write a golden file that says what made it."""
    made_by = f"transformers {transformers.__version__}, torch {torch.__version__}, tests/golden/make.py"
    save_file(tensors, path, metadata={"made by": made_by})
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")


def main() -> None:
    """Make both files."""
    torch.set_num_threads(1)
    check_spellings(CASES[0])
    tensors: dict[str, torch.Tensor] = {}
    for case in CASES:
        tensors |= golden(case, draw_weights(case.config, case.seed))
    save(tensors, GOLDEN)
    packed = read_dequantized(PEER_FOLDER)
    packed.pop("language_model.lm_head.weight")  # a second copy of the embedding
    save(golden(PEER, packed), PEER_GOLDEN)


if __name__ == "__main__":
    main()
