"""One checkpoint under every spelling of its tensors' names, and what is said of one that does not fit."""

from pathlib import Path

import mlx.core as mx
import pytest

import mlx_gemma
from mlx_gemma.selftest.cases import draw_pixels
from tests.model.dialects import rename
from tests.model.folders import EXACT, case_named, drawn, error, save
from vision.errors import GemmaError, WeightsError

SEEN = case_named("two images adjacent")
READ = case_named("text only")
NORM = "language_model.model.norm.weight"


def answered(folder: Path) -> float:
    """How far off the reference the two pictures' case is when loaded from there."""
    gemma = mlx_gemma.load(folder)
    return error(gemma.logits(list(SEEN.ids), draw_pixels(SEEN)), SEEN)


@pytest.mark.parametrize("dialect", ["A", "B", "C", "C of B"])
def test_multimodal_names(tmp_path: Path, dialect: str) -> None:
    """Old names, new names, and either without `vision_model` load to the same, exact model."""
    assert answered(save(tmp_path, SEEN.config, rename(drawn(SEEN), dialect))) < EXACT


@pytest.mark.parametrize("head", ["lm_head.weight", "language_model.lm_head.weight"])
def test_tied_head_is_dropped(tmp_path: Path, head: str) -> None:
    """A copy of the embedding that calls itself the head is neither an error nor held."""
    tensors = drawn(SEEN)
    tensors[head] = tensors["language_model.model.embed_tokens.weight"]
    assert answered(save(tmp_path, SEEN.config, tensors)) < EXACT


@pytest.mark.parametrize("head", [(), ("lm_head.weight",)], ids=["tied", "copied"])
def test_text_only_names(tmp_path: Path, head: tuple[str, ...]) -> None:
    """A text model's `model.layers.*` load, with or without a copy of the embedding as head."""
    tensors = drawn(READ)
    tensors |= dict.fromkeys(head, tensors["model.embed_tokens.weight"])
    gemma = mlx_gemma.load(save(tmp_path, READ.config, tensors))
    assert error(gemma.logits(list(READ.ids)), READ) < EXACT


def test_mlx_layout(tmp_path: Path) -> None:
    """Files that MLX wrote have the convolution's channels last already, and it is left so."""
    tensors = drawn(SEEN)
    patches = "vision_tower.vision_model.embeddings.patch_embedding.weight"
    tensors[patches] = tensors[patches].transpose(0, 2, 3, 1)
    assert answered(save(tmp_path, SEEN.config, tensors, layout="mlx")) < EXACT


@pytest.mark.parametrize("shards", [2, 5])
def test_shards(tmp_path: Path, shards: int) -> None:
    """A checkpoint cut into files by an index is the same checkpoint."""
    assert answered(save(tmp_path, SEEN.config, drawn(SEEN), shards=shards)) < EXACT


def test_missing_tensor(tmp_path: Path) -> None:
    """A tensor that is not there is named."""
    tensors = drawn(SEEN)
    del tensors[NORM]
    with pytest.raises(WeightsError, match=rf"missing {NORM}"):
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))


def test_left_over_tensor(tmp_path: Path) -> None:
    """A tensor that has no place is named: here a layer more than the config has."""
    tensors = drawn(SEEN)
    tensors["language_model.model.layers.7.mlp.up_proj.weight"] = mx.zeros((128, 64))
    with pytest.raises(
        WeightsError, match=r"left over language_model\.model\.layers\.7\.mlp\.up_proj\.weight"
    ):
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))


def test_unknown_tensor(tmp_path: Path) -> None:
    """A tensor of no spelling is named, not dropped."""
    tensors = {**drawn(SEEN), "audio_tower.conv.weight": mx.zeros((4,))}
    with pytest.raises(WeightsError, match="audio_tower"):
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))


def test_wrong_shape(tmp_path: Path) -> None:
    """A tensor of another shape is named with the shape wanted and the shape got."""
    tensors = {**drawn(SEEN), NORM: mx.zeros((32,))}
    with pytest.raises(WeightsError, match=rf"{NORM}.*\(64,\).*\(32,\)"):
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))


def test_all_faults_at_once(tmp_path: Path) -> None:
    """One error tells of what is missing, what is left over and what has the wrong shape."""
    tensors = drawn(SEEN)
    tensors["language_model.model.embed_tokens.weight"] = mx.zeros((300, 64))
    tensors["multi_modal_projector.other"] = tensors.pop("multi_modal_projector.mm_input_projection_weight")
    with pytest.raises(WeightsError) as caught:
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))
    for word in ("mm_input_projection_weight", "multi_modal_projector.other", "embed_tokens", "(320, 64)"):
        assert word in str(caught.value)


def test_same_tensor_twice(tmp_path: Path) -> None:
    """Two names for one place are an error, not a choice."""
    tensors = drawn(SEEN)
    tensors["model.language_model.norm.weight"] = tensors[NORM]
    with pytest.raises(WeightsError, match=r"model\.language_model\.norm\.weight"):
        mlx_gemma.load(save(tmp_path, SEEN.config, tensors))


def test_missing_shard(tmp_path: Path) -> None:
    """A shard that the index names and the folder lacks is named."""
    save(tmp_path, SEEN.config, drawn(SEEN), shards=3)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(GemmaError, match=r"model-00002-of-00003\.safetensors"):
        mlx_gemma.load(tmp_path)


def test_truncated_file(tmp_path: Path) -> None:
    """A file cut short by a broken download is named as such, before anything is computed with it."""
    file = save(tmp_path, SEEN.config, drawn(SEEN)) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match=r"model\.safetensors.*cut short"):
        mlx_gemma.load(tmp_path)


def test_not_safetensors(tmp_path: Path) -> None:
    """A file that only calls itself safetensors is an error in words."""
    save(tmp_path, SEEN.config, drawn(SEEN))
    (tmp_path / "model.safetensors").write_bytes(b"<html>Sign in to download</html>" * 10)
    with pytest.raises(WeightsError, match=r"model\.safetensors.*not a safetensors file"):
        mlx_gemma.load(tmp_path)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    """A folder that has only pickled weights is refused, and the reason given."""
    save(tmp_path, SEEN.config, drawn(SEEN))
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(GemmaError, match=r"pytorch_model\.bin.*only safetensors"):
        mlx_gemma.load(tmp_path)
