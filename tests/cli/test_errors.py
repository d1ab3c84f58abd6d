"""Each error that a user can meet, through the real command: one line that says what to do, and an exit code."""

import json
import os
import shutil
from pathlib import Path

import mlx.core as mx
import pytest
from PIL import Image

from tests.cli import checkpoints
from tests.cli.conftest import Done, Run, said


def complaint(done: Done, code: int = 2) -> str:
    """The one line of a refused command: nothing on stdout, no traceback, the exit code as documented."""
    assert done.stdout == ""
    lines = said(done.stderr)
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mlx_gemma: ")
    assert done.returncode == code
    return lines[0].removeprefix("mlx_gemma: ")


@pytest.fixture
def broken(seeing: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint, to break."""
    return shutil.copytree(seeing, tmp_path / "broken")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A picture that can be read."""
    path = tmp_path / "film.png"
    Image.linear_gradient("L").save(path)
    return path


def ask(run: Run, model: Path | str, *more: str | Path) -> Done:
    """Ask the model a short question."""
    return run("chat", "--model", model, "-p", "Hello", "--max-tokens", "2", *more)


def test_missing_folder(run: Run) -> None:
    """A model that is nowhere is named, with where it was looked for."""
    assert complaint(ask(run, "/nowhere/medgemma")) == (
        "/nowhere/medgemma: no such folder, and nothing of that name in the hub's cache; give a folder, a downloaded "
        "repository (owner/name) or one of demo, medgemma-4b, medgemma-27b, medgemma-27b-text, gemma-3-270m, "
        "gemma-3-1b, gemma-3-4b, gemma-3-12b, gemma-3-27b"
    )


def test_not_a_checkpoint(run: Run, tmp_path: Path) -> None:
    """A folder without config.json is no checkpoint."""
    (tmp_path / "notes").mkdir()
    assert (
        complaint(ask(run, tmp_path / "notes"))
        == f"{tmp_path}/notes: no config.json there; is it a checkpoint's folder?"
    )


def test_other_architecture(run: Run, broken: Path) -> None:
    """Another architecture is refused by its name before any weight is read."""
    checkpoints.edit_config(broken, model_type="llama")
    assert (
        complaint(ask(run, broken))
        == "model_type is 'llama', need 'gemma3' or 'gemma3_text'; is this a Gemma 3 checkpoint?"
    )


def test_missing_shard(run: Run, broken: Path) -> None:
    """An index that names a file which was not downloaded: the file is named."""
    (broken / "model.safetensors").rename(broken / "model-00001-of-00002.safetensors")
    tensors = mx.load(str(broken / "model-00001-of-00002.safetensors"))
    assert isinstance(tensors, dict)
    names = sorted(tensors)
    places = dict.fromkeys(names, "model-00001-of-00002.safetensors")
    places[names[0]] = "model-00002-of-00002.safetensors"
    (broken / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert complaint(ask(run, broken)) == (
        f"{broken}: 1 of 2 shards missing (model-00002-of-00002.safetensors); download it again"
    )


def test_wrong_shape(run: Run, broken: Path) -> None:
    """A tensor of the wrong shape is named, with what was wanted and what was found."""
    tensors = mx.load(str(broken / "model.safetensors"))
    assert isinstance(tensors, dict)
    mx.eval(tensors)  # read before the file is written over
    tensors["language_model.model.norm.weight"] = mx.zeros((63,))
    mx.save_safetensors(str(broken / "model.safetensors"), tensors)
    assert complaint(ask(run, broken)) == (
        f"{broken}: the weights do not fit config.json: "
        "wrong shape language_model.model.norm.weight (need (64,), got (63,))"
    )


def test_unsupported_quantisation(run: Run, broken: Path) -> None:
    """A way of quantising that is not read here is named."""
    checkpoints.edit_config(
        broken, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True}
    )
    assert complaint(ask(run, broken)) == (
        "these weights are quantised with bitsandbytes, which is not read here; "
        "take the unquantised checkpoint or one in MLX's format"
    )


def test_missing_tokenizer(run: Run, broken: Path) -> None:
    """A checkpoint without its tokenizer cannot chat, and says which file it wants."""
    (broken / "tokenizer.model").unlink()
    assert complaint(ask(run, broken)) == (
        f"{broken}: wanted tokenizer.model or tokenizer.json, got neither; "
        "copy one of them from the checkpoint this model was made from"
    )


def test_missing_picture(run: Run, seeing: Path, tmp_path: Path) -> None:
    """A picture that is not there."""
    assert (
        complaint(ask(run, seeing, "--image", tmp_path / "gone.png"))
        == f"{tmp_path}/gone.png: no such picture file"
    )


def test_unreadable_picture(run: Run, seeing: Path, tmp_path: Path) -> None:
    """A file that is no picture."""
    (tmp_path / "report.png").write_text("clear lungs")
    assert complaint(ask(run, seeing, "--image", tmp_path / "report.png")) == (
        f"{tmp_path}/report.png: not a picture that can be read here (need PNG, JPEG, TIFF, BMP or WebP)"
    )


def test_truncated_picture(run: Run, seeing: Path, film: Path) -> None:
    """A picture of which a part is missing is refused, not completed with grey."""
    film.write_bytes(film.read_bytes()[:-200])
    assert complaint(ask(run, seeing, "--image", film)) == (
        f"{film}: the picture is damaged or cut short (image file is truncated)"
    )


def test_enormous_picture(run: Run, seeing: Path, tmp_path: Path) -> None:
    """A picture of 300 megapixels is refused from its header, before it takes memory."""
    Image.new("1", (20_000, 15_000)).save(tmp_path / "slide.png")
    assert complaint(ask(run, seeing, "--image", tmp_path / "slide.png")) == (
        f"{tmp_path}/slide.png: far too many pixels, more than 100 million; "
        "scale it down or cut out the part that matters"
    )


def test_picture_for_a_text_model(run: Run, reading: Path, film: Path) -> None:
    """A model without eyes does not pretend to have seen a picture."""
    assert complaint(ask(run, reading, "--image", film)) == (
        "this model reads text only; use a multimodal checkpoint, or leave the picture out"
    )


def test_prompt_longer_than_the_context(run: Run, tmp_path: Path) -> None:
    """What does not fit is refused with both numbers, not cut."""
    short = checkpoints.write(tmp_path / "short", max_position_embeddings=64)
    assert complaint(run("chat", "--model", short, text="word " * 200)) == (
        "the prompt has 1,015 tokens, this model's context 64; shorten it"
    )


def test_not_enough_memory(run: Run, seeing: Path, environment: dict[str, str]) -> None:
    """A model that would not fit is refused in numbers, before it is read."""
    environment["MLX_GEMMA_MEMORY"] = "0.1"  # GB
    assert complaint(ask(run, seeing), code=1) == (
        "seeing: needs 0.3 GB (weights 0.0, cache 0.0 at 8,192 tokens, work space 0.3), but 0.1 GB are free; "
        "close other programs, or take a smaller or a quantised model"
    )


def test_memory_by_hand_is_a_number(run: Run, seeing: Path, environment: dict[str, str]) -> None:
    """A setting that is no number is the caller's to mend."""
    environment["MLX_GEMMA_MEMORY"] = "lots"
    assert complaint(ask(run, seeing)) == "MLX_GEMMA_MEMORY is 'lots'; it must be a number of gigabytes"


def test_no_question(run: Run, seeing: Path) -> None:
    """An empty pipe asks nothing."""
    assert complaint(run("chat", "--model", seeing)) == (
        'there is nothing to answer: ask with -p "...", or pipe a question in'
    )


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--temperature", "-1", "temperature is -1.0; it must be 0 or more"),
        ("--top-p", "1.5", "top_p is 1.5; it must be between 0 and 1"),
        ("--top-k", "-3", "top_k is -3; it must be 0 or more"),
        ("--min-p", "2", "min_p is 2.0; it must be between 0 and 1"),
        ("--repetition-penalty", "0", "repetition_penalty is 0.0; it must be more than 0"),
        ("--max-tokens", "0", "max_tokens is 0; it must be 1 or more"),
        ("--seed", "-1", "seed is -1; it must lie in 0..18446744073709551615"),
    ],
)
def test_option_without_meaning(run: Run, seeing: Path, option: str, value: str, said: str) -> None:
    """An option whose value has no meaning is named with what it may be."""
    assert complaint(run("chat", "--model", seeing, "-p", "Hello", option, value)) == said


def test_info_of_nothing(run: Run, tmp_path: Path) -> None:
    """The other verbs complain in the same way."""
    assert (
        complaint(run("info", tmp_path)) == f"{tmp_path}: no config.json there; is it a checkpoint's folder?"
    )


def test_a_bug_of_ours_is_one_line_too(
    run: Run, seeing: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Whatever fails that nobody foresaw: no traceback, unless it is asked for."""
    (tmp_path / "sitecustomize.py").write_text("import tui.terminal\ntui.terminal.said_if_slow = None\n")
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment.get("PYTHONPATH", "")])
    assert complaint(ask(run, seeing), code=70) == (
        "a bug, not your fault (TypeError: 'NoneType' object is not callable); MLX_GEMMA_DEBUG=1 shows where"
    )
    environment["MLX_GEMMA_DEBUG"] = "1"
    assert "Traceback" in ask(run, seeing).stderr
