"""A tiny Gemma 3 GGUF, written by the `gguf` package."""

from pathlib import Path

import gguf
import numpy as np

HIDDEN, MLP, LAYERS, HEADS, KV_HEADS, HEAD = 32, 64, 2, 2, 1, 32

PIECES = [
    "<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "\n", "  ", "   ", "<b>",
    "<start_of_image>", "<end_of_image>", *(f"<0x{byte:02X}>" for byte in range(256)),
    "▁a", "ab", "▁", "a", "b", "<unused94>",
]  # fmt: skip
TEXT = {
    "\n",
    "  ",
    "   ",
    "<b>",
    "<start_of_image>",
    "<end_of_image>",
}  # image marks too: so the real files have it

Arrays = dict[str, np.ndarray]


def kind(piece: str) -> gguf.TokenType:
    """How GGUF files declare a piece."""
    if piece in TEXT:
        return gguf.TokenType.USER_DEFINED
    if piece.startswith("<0x"):
        return gguf.TokenType.BYTE
    return gguf.TokenType.CONTROL if piece.startswith("<") else gguf.TokenType.NORMAL


def weights(seed: int = 0) -> Arrays:
    """Float32 values for every tensor under its GGUF name; norms as GGUF stores them, around 1."""
    draw = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (len(PIECES), HIDDEN), "output_norm": (HIDDEN,)}
    for i in range(LAYERS):
        shapes |= {
            f"blk.{i}.attn_q": (HEADS * HEAD, HIDDEN),
            f"blk.{i}.attn_k": (KV_HEADS * HEAD, HIDDEN),
            f"blk.{i}.attn_v": (KV_HEADS * HEAD, HIDDEN),
            f"blk.{i}.attn_output": (HIDDEN, HEADS * HEAD),
            f"blk.{i}.ffn_gate": (MLP, HIDDEN),
            f"blk.{i}.ffn_up": (MLP, HIDDEN),
            f"blk.{i}.ffn_down": (HIDDEN, MLP),
            **{
                f"blk.{i}.{n}": (HIDDEN,)
                for n in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
            },
            **{f"blk.{i}.{n}": (HEAD,) for n in ("attn_q_norm", "attn_k_norm")},
        }
    made = {
        f"{name}.weight": draw.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()
    }
    return {name: 1 + array / 8 if array.ndim == 1 else array for name, array in made.items()}


def write(
    path: Path, tensors: Arrays, architecture: str = "gemma3", quantised: frozenset[str] = frozenset()
) -> Path:
    """Write the file; tensors named in `quantised` as Q8_0. Scales and context are those of the 4B, to be seen kept."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(131_072)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_sliding_window(16)
    writer.add_rope_freq_base(1_000_000.0)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(8.0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(PIECES)
    writer.add_token_scores([-float(i) for i in range(len(PIECES))])
    writer.add_token_types([kind(piece) for piece in PIECES])
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_add_space_prefix(False)
    for name, array in tensors.items():
        if name in quantised:
            q8 = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quantize(array, q8), raw_dtype=q8)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
