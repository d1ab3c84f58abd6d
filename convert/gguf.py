"""A Gemma 3 GGUF file, taken back to the folder it came from: config, weights and tokenizer as Hugging Face keeps them.

    python -m convert.gguf FILE.gguf FOLDER

Names and facts: the `gguf` package's tables for its architecture "gemma3". GGUF stores norms as 1 + w; the folder, w.
"""

import argparse
import json
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convert.safetensors import Array, Dtype, Tensor, write
from convert.tokenizer import Vocabulary, sentencepiece_model
from mlx_gemma.text import control
from vision.errors import GemmaError, WeightsError

# GGUF's name, Hugging Face's name, and what GGUF added to the numbers
_OUTER = (
    ("token_embd.weight", "model.embed_tokens.weight", 0),
    ("output_norm.weight", "model.norm.weight", 1),
)
_LAYER = (
    ("attn_norm", "input_layernorm", 1),
    ("attn_q", "self_attn.q_proj", 0),
    ("attn_k", "self_attn.k_proj", 0),
    ("attn_v", "self_attn.v_proj", 0),
    ("attn_q_norm", "self_attn.q_norm", 1),
    ("attn_k_norm", "self_attn.k_norm", 1),
    ("attn_output", "self_attn.o_proj", 0),
    ("post_attention_norm", "post_attention_layernorm", 1),
    ("ffn_norm", "pre_feedforward_layernorm", 1),
    ("ffn_gate", "mlp.gate_proj", 0),
    ("ffn_up", "mlp.up_proj", 0),
    ("ffn_down", "mlp.down_proj", 0),
    ("post_ffw_norm", "post_feedforward_layernorm", 1),
)


class GgufFile:
    """An open GGUF. Raises WeightsError for a file that is truncated, no GGUF, or of another architecture."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._reader = _open(self.path)
        if (architecture := self.value("general.architecture")) != "gemma3":
            raise WeightsError(
                f"{path}: wanted the architecture gemma3, got {architecture}; only Gemma 3 is converted"
            )

    def value(self, key: str, default: Any = None) -> Any:
        """A metadata value. Raises WeightsError when the file has none and there is no default."""
        field = self._reader.get_field(key)
        if field is None and default is None:
            raise WeightsError(
                f"{self.path}: wanted the metadata {key}, got none; is it the GGUF of a whole model?"
            )
        return default if field is None else field.contents()

    def config(self) -> dict[str, Any]:
        """config.json of a text-only Gemma 3 (`gemma3_text`), every field spelled out."""
        gemma = partial(self._value_of, "gemma3")
        token = partial(self._value_of, "tokenizer.ggml")
        layers, head_dim = gemma("block_count"), gemma("attention.key_length", 256)
        scaled = gemma("rope.scaling.type", "none") != "none"
        return {
            "architectures": ["Gemma3ForCausalLM"],
            "model_type": "gemma3_text",
            "vocab_size": len(self._reader.fields["tokenizer.ggml.tokens"].data),
            "hidden_size": gemma("embedding_length"),
            "intermediate_size": gemma("feed_forward_length"),
            "num_hidden_layers": layers,
            "num_attention_heads": gemma("attention.head_count"),
            "num_key_value_heads": gemma("attention.head_count_kv"),
            "head_dim": head_dim,
            # not in the file: the 27B, alone with 62 layers, scales by its width per head (Gemma 3 report, table 1)
            "query_pre_attn_scalar": 168 if layers == 62 else head_dim,
            "sliding_window": gemma("attention.sliding_window"),
            "sliding_window_pattern": 6,
            "rope_theta": gemma("rope.freq_base", 1_000_000.0),
            "rope_local_base_freq": gemma("rope.freq_base_swa", 10_000.0),
            "rope_scaling": {"rope_type": "linear", "factor": gemma("rope.scaling.factor")}
            if scaled
            else None,
            "rms_norm_eps": round(gemma("attention.layer_norm_rms_epsilon"), 12),  # a float32: 9.99999997e-07
            "max_position_embeddings": gemma("context_length"),
            "hidden_activation": "gelu_pytorch_tanh",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "tie_word_embeddings": True,
            "bos_token_id": token("bos_token_id"),
            "eos_token_id": token("eos_token_id"),
            "pad_token_id": token("padding_token_id"),
        }

    def vocabulary(self) -> Vocabulary:
        """The tokenizer's pieces, scores and types."""
        token = partial(self._value_of, "tokenizer.ggml")
        if (kind := token("model")) != "llama":
            raise WeightsError(
                f"{self.path}: wanted a SentencePiece vocabulary (llama), got {kind}; is it a Gemma 3 file?"
            )
        return Vocabulary(
            pieces=tuple(token("tokens")),
            scores=tuple(token("scores")),
            types=tuple(token("token_type")),
            add_space_prefix=token("add_space_prefix", False),
        )

    def tensors(self) -> list[Tensor]:
        """Every weight under its Hugging Face name, dequantised to float32 when it is made."""
        stored = {tensor.name: tensor for tensor in self._reader.tensors}
        table = _table(self.value("gemma3.block_count"))
        missing, left_over = sorted(table.keys() - stored.keys()), sorted(stored.keys() - table.keys())
        if missing or left_over:
            raise WeightsError(
                f"{self.path}: tensors missing: {missing}; not known: {left_over}; is it a whole text model?"
            )
        return [
            Tensor(
                name,
                tuple(map(int, reversed(stored[source].shape))),
                partial(_dequantised, stored[source], added),
            )
            for source, (name, added) in table.items()
        ]

    def _value_of(self, prefix: str, key: str, default: Any = None) -> Any:
        return self.value(f"{prefix}.{key}", default)


def dequantise(path: str | Path, folder: str | Path, dtype: Dtype = "float32") -> Path:
    """Write the checkpoint folder of a GGUF, all of it or none; weights tensor by tensor. Returns the folder.

    Raises WeightsError when the file cannot be converted or `folder` is already there.
    """
    folder = Path(folder)
    if folder.exists():
        raise WeightsError(
            f"{folder}: wanted a folder to make, got one that exists; name another or remove it"
        )
    source = GgufFile(path)
    config, vocabulary, tensors = source.config(), source.vocabulary(), source.tensors()
    stops = [config["eos_token_id"], vocabulary.pieces.index(control.END_TURN)]
    ids = {key: config[key] for key in ("bos_token_id", "pad_token_id")}
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _write_json(made / "config.json", {**config, "torch_dtype": dtype})
        _write_json(made / "generation_config.json", {**ids, "eos_token_id": sorted(set(stops))})
        _write_json(made / "tokenizer_config.json", _tokenizer_config(vocabulary))
        (made / "tokenizer.model").write_bytes(sentencepiece_model(vocabulary))
        write(made / "model.safetensors", tensors, dtype)
        made.chmod(0o755)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _open(path: Path) -> Any:
    """A gguf.GGUFReader of the file, at a third of its usual time."""
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise WeightsError(
            f"{path}: wanted the gguf package to read it, got none; pip install 'mlx_gemma[gguf]'"
        ) from error

    class Reader(GGUFReader):
        """Keeps the mapped file as a plain array: slicing numpy's memmap a million times is slow."""

        @property
        def data(self) -> Array:
            return self._plain

        @data.setter
        def data(self, mapped: Array) -> None:
            self._plain = np.asarray(mapped)

    try:
        return Reader(path)
    except (ValueError, IndexError, KeyError, OverflowError, OSError) as error:
        raise WeightsError(
            f"{path}: wanted a whole GGUF file, got one that does not open ({error}); download it again"
        ) from error


def _table(layers: int) -> dict[str, tuple[str, int]]:
    """GGUF's name -> (Hugging Face's name, what was added), for every tensor of a model so deep."""
    table = {source: (name, added) for source, name, added in _OUTER}
    for i in range(layers):
        for source, name, added in _LAYER:
            table[f"blk.{i}.{source}.weight"] = (f"model.layers.{i}.{name}.weight", added)
    return table


def _dequantised(tensor: Any, added: int) -> Array:
    from gguf import dequantize

    return (
        dequantize(tensor.data, tensor.tensor_type) - np.float32(added)
        if added
        else dequantize(tensor.data, tensor.tensor_type)
    )


def _tokenizer_config(vocabulary: Vocabulary) -> dict[str, Any]:
    """What transformers wants beside a tokenizer.model to know whose it is."""
    named = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    special = (control.TURN, control.END_TURN, control.IMAGE, control.END_IMAGE)
    return {
        "tokenizer_class": "GemmaTokenizer",
        "add_bos_token": True,
        **named,
        "added_tokens_decoder": {
            str(vocabulary.pieces.index(piece)): {"content": piece, "special": True}
            for piece in (*named.values(), *special)
            if piece in vocabulary.pieces
        },
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Convert the file named on the command line."""
    parser = argparse.ArgumentParser(
        prog="convert.gguf", description="A Gemma 3 GGUF to a checkpoint folder."
    )
    parser.add_argument("file")
    parser.add_argument("folder")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    options = parser.parse_args()
    try:
        dequantise(options.file, options.folder, options.dtype)
    except GemmaError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
