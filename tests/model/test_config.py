"""Four spellings of config.json, one meaning; and nothing in it that is passed over."""

from dataclasses import replace
from typing import Any

import pytest

from mlx_gemma.model import config as sizes
from mlx_gemma.model.config import DecoderConfig, GemmaConfig, Rope
from mlx_gemma.selftest.cases import CASES, Case
from tests.model.dialects import ARCHITECTURE_DEFAULTS, spell
from vision.config import SO400M_896
from vision.errors import ConfigError, GemmaError, WeightsError

EVERY_SIXTH = [case for case in CASES if case.name in ("two images apart", "text only", "shaped like 270M")]

VISION = {
    "hidden_size": 1152,
    "image_size": 896,
    "intermediate_size": 4304,
    "model_type": "siglip_vision_model",
    "num_attention_heads": 16,
    "num_hidden_layers": 27,
    "patch_size": 14,
    "vision_use_head": False,
}
PUBLISHED_4B: dict[str, Any] = {  # google/gemma-3-4b-it as first published, all of it
    "architectures": ["Gemma3ForConditionalGeneration"],
    "boi_token_index": 255999,
    "eoi_token_index": 256000,
    "eos_token_id": [1, 106],
    "image_token_index": 262144,
    "initializer_range": 0.02,
    "mm_tokens_per_image": 256,
    "model_type": "gemma3",
    "text_config": {
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "model_type": "gemma3_text",
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    },
    "torch_dtype": "bfloat16",
    "transformers_version": "4.50.0.dev0",
    "vision_config": VISION,
}


def published(**text: Any) -> dict[str, Any]:
    """The 4B's config with these fields of its decoder changed or added."""
    return {**PUBLISHED_4B, "text_config": {**PUBLISHED_4B["text_config"], **text}}


@pytest.mark.parametrize("dialect", "abc")
@pytest.mark.parametrize("case", EVERY_SIXTH, ids=lambda case: case.name)
def test_dialects_agree(case: Case, dialect: str) -> None:
    """Each older spelling of a config means exactly what the spelling of transformers 5 means."""
    assert GemmaConfig.from_dict(spell(case.config, dialect)) == GemmaConfig.from_dict(case.config)


def test_dialects_differ() -> None:
    """The four spellings that are compared are four: none says things the way another does."""
    spellings = [spell(EVERY_SIXTH[0].config, dialect) for dialect in "abcd"]
    keys = [frozenset(each["text_config"]) for each in spellings]
    assert len(set(keys)) == 4
    assert "rope_parameters" in keys[3] and not any("rope_parameters" in each for each in keys[:3])
    assert "sliding_window_pattern" in keys[1] and "layer_types" in keys[2] and "rope_theta" not in keys[0]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (dict[str, Any](), sizes.GEMMA3_4B),
        (
            {
                "hidden_size": 3840,
                "intermediate_size": 15360,
                "num_hidden_layers": 48,
                "num_attention_heads": 16,
                "num_key_value_heads": 8,
            },
            sizes.GEMMA3_12B,
        ),
        (
            {
                "head_dim": 128,
                "hidden_size": 5376,
                "intermediate_size": 21504,
                "num_attention_heads": 32,
                "num_hidden_layers": 62,
                "num_key_value_heads": 16,
                "query_pre_attn_scalar": 168,
            },
            sizes.GEMMA3_27B,
        ),
    ],
    ids=["4B", "12B", "27B"],
)
def test_published_multimodal(text: dict[str, Any], size: DecoderConfig) -> None:
    """The sparse configs that the multimodal sizes were published with give the named sizes."""
    config = GemmaConfig.from_dict(published(**text))
    assert config.decoder == size
    assert config.vision == SO400M_896
    assert (config.image_token_id, config.boi_token_id, config.eoi_token_id) == (262144, 255999, 256000)
    assert config.stop_ids == {1, 106} and config.tokens_per_image == 256 and config.dtype == "bfloat16"


@pytest.mark.parametrize(
    ("shape", "size"),
    [((18, 640, 2048), sizes.GEMMA3_270M), ((26, 1152, 6912), sizes.GEMMA3_1B)],
    ids=["270M", "1B"],
)
def test_published_text(shape: tuple[int, int, int], size: DecoderConfig) -> None:
    """The small text models' configs give the named sizes: one key head, no scaling, 32k of context."""
    layers, hidden, mlp = shape
    config = GemmaConfig.from_dict(
        {
            **ARCHITECTURE_DEFAULTS,
            "architectures": ["Gemma3ForCausalLM"],
            "model_type": "gemma3_text",
            "bos_token_id": 2,
            "eos_token_id": [1, 106],
            "pad_token_id": 0,
            "cache_implementation": "hybrid",
            "num_hidden_layers": layers,
            "hidden_size": hidden,
            "intermediate_size": mlp,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "max_position_embeddings": 32768,
            "rope_scaling": None,
            "sliding_window": 512,
            "sliding_window_pattern": 6,
            "torch_dtype": "bfloat16",
            "vocab_size": 262144,
        }
    )
    assert config.decoder == size
    assert config.vision is None


def test_layers_end_local() -> None:
    """1B, 4B and 27B end on local layers, 270M and 12B on a global one; there are 3, 4, 5, 8 and 10 global ones."""
    named = [sizes.GEMMA3_270M, sizes.GEMMA3_1B, sizes.GEMMA3_4B, sizes.GEMMA3_12B, sizes.GEMMA3_27B]
    assert [len(size.global_layers) for size in named] == [3, 4, 5, 8, 10]
    assert [size.layers - 1 in size.global_layers for size in named] == [True, False, False, True, False]


def test_rope_parameters_win() -> None:
    """Where a config has both, `rope_parameters` is believed and `rope_scaling` is not."""
    both = published(
        rope_parameters={
            "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 20_000.0},
        }
    )
    decoder = GemmaConfig.from_dict(both).decoder
    assert decoder.global_rope == Rope(500_000.0, 4.0)
    assert decoder.local_rope == Rope(20_000.0)


def test_image_token_goes_by_two_names() -> None:
    """`image_token_id` is `image_token_index`."""
    renamed = {key: value for key, value in PUBLISHED_4B.items() if key != "image_token_index"}
    assert GemmaConfig.from_dict({**renamed, "image_token_id": 300}).image_token_id == 300


@pytest.mark.parametrize(
    "change",
    [
        {"rope_scaling": {"rope_type": "yarn", "factor": 8.0}},
        {"rope_parameters": {"full_attention": {"rope_type": "llama3", "factor": 8.0}}},
        {
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "low_freq_factor": 1.0}
            }
        },
        {"final_logit_softcapping": 30.0},
        {"attn_logit_softcapping": 50.0},
        {"attention_bias": True},
        {"use_bidirectional_attention": True},
        {"hidden_activation": "silu"},
        {"tie_word_embeddings": False},
        {"num_experts": 8},
        {"altup_num_inputs": 4},
        {"layer_types": ["sliding_attention"] * 33},
        {"layer_types": ["linear_attention"] * 34},
        {"sliding_window": 0},
        {"num_key_value_heads": 3},
        {"head_dim": 255},
    ],
    ids=lambda change: "-".join(change),
)
def test_unknown_is_refused(change: dict[str, Any]) -> None:
    """A key, or a value, that would change the result and is not computed here is an error that names it."""
    with pytest.raises(ConfigError) as caught:
        GemmaConfig.from_dict(published(**change))
    (key, value), *_ = change.items()
    named = [key, "rope", *map(str, [value] if not isinstance(value, dict) else value)]
    assert any(name in str(caught.value) for name in named)


@pytest.mark.parametrize("kind", ["gemma2", "gemma3n", "llama", None])
def test_other_architectures_are_refused(kind: str | None) -> None:
    """A config of another model is refused by the name it gives itself."""
    with pytest.raises(ConfigError, match=str(kind)):
        GemmaConfig.from_dict({**PUBLISHED_4B, "model_type": kind})


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            "bitsandbytes",
        ),
        ({"quant_method": "compressed-tensors", "format": "pack-quantized"}, "compressed-tensors"),
        ({"quant_method": "torchao", "quant_type": {"default": "int4"}}, "torchao"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq"),
    ],
    ids=["nf4", "compressed-tensors", "torchao", "awq", "gptq"],
)
def test_unsupported_quantisation_is_named(scheme: dict[str, Any], name: str) -> None:
    """A scheme that is not MLX's is refused by its own name, before any tensor is read."""
    with pytest.raises(WeightsError, match=name):
        GemmaConfig.from_dict({**PUBLISHED_4B, "quantization_config": scheme})


def test_mlx_quantisation_is_read() -> None:
    """MLX's own setting, written under both names, is read with what single modules override."""
    spec = {"group_size": 64, "bits": 4, "mode": "affine", "language_model.model.embed_tokens": {"bits": 8}}
    packed = GemmaConfig.from_dict({**PUBLISHED_4B, "quantization": spec, "quantization_config": spec})
    assert packed.quantization is not None
    assert (packed.quantization.bits, packed.quantization.group_size) == (4, 64)
    assert packed.quantization.modules["language_model.model.embed_tokens"].bits == 8
    assert replace(packed, quantization=None) == GemmaConfig.from_dict(PUBLISHED_4B)


def test_errors_are_one_family() -> None:
    """What a config can do wrong is a GemmaError, so that one place can print it."""
    assert issubclass(ConfigError, GemmaError) and issubclass(WeightsError, GemmaError)
