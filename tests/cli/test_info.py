"""`mlx_gemma info`: the facts of a checkpoint, counted from its own numbers."""

import json
from pathlib import Path

from mlx_gemma.selftest import tiny
from mlx_gemma.selftest.draw import shapes
from mlx_gemma.selftest.folder import write_folder
from tests.cli import checkpoints
from tests.cli.conftest import Run


def parameters(config: tiny.Config) -> int:
    """Numbers in a checkpoint, from the shapes that its config means."""
    total = 0
    for _, shape in shapes(config):
        count = 1
        for side in shape:
            count *= side
        total += count
    return total


def test_info_of_a_seeing_model(run: Run, seeing: Path) -> None:
    """Architecture, bytes and memory are those of the config and of the files."""
    facts = json.loads(run("info", seeing, "--json").stdout)
    config = checkpoints.config(eyes=True)
    assert facts["parameters"] == parameters(config)
    assert facts["file_bytes"] == 4 * facts["parameters"]
    assert facts["decoder"]["layers"] == config["text_config"]["num_hidden_layers"]
    assert facts["vision"]["image_size"] == config["vision_config"]["image_size"]
    assert facts["memory"]["as_stored"]["weights_bytes"] == facts["file_bytes"]
    assert facts["quantization"] is None
    assert facts["demo"] is False


def test_memory_grows_with_the_context(run: Run, reading: Path) -> None:
    """Only global layers keep what lies beyond the window: keys and values of 2 heads of 32 numbers of 4 bytes each."""

    def cache(context: int) -> int:
        done = run("info", reading, "--context", str(context), "--json")
        return json.loads(done.stdout)["memory"]["as_stored"]["cache_bytes"]

    a_token_in_a_layer = 2 * 2 * 32 * 4
    assert cache(10) == 7 * 10 * a_token_in_a_layer
    assert cache(1000) == (6 * 32 + 1000) * a_token_in_a_layer


def test_info_of_a_quantised_model(run: Run, tmp_path: Path) -> None:
    """A 4-bit folder is said to be one, takes the bytes of its file on a GPU, and has as many parameters as before."""
    config = checkpoints.config(eyes=True)
    checkpoints.write(tmp_path / "whole")
    write_folder(tmp_path / "packed", config, checkpoints.draw_weights(config, 7), "4-bit")
    whole, packed = (
        json.loads(run("info", tmp_path / name, "--json").stdout) for name in ("whole", "packed")
    )
    assert packed["quantization"] == {"group_size": 64, "bits": 4, "mode": "affine"}
    assert packed["parameters"] == whole["parameters"]
    assert packed["memory"]["as_stored"]["weights_bytes"] == packed["file_bytes"] < whole["file_bytes"] / 2


def test_info_for_a_person(run: Run, seeing: Path) -> None:
    """In words: what it is, where, and what it takes."""
    lines = run("info", seeing).stdout.splitlines()
    assert lines[0].split() == ["model", "seeing", f"({seeing})"]
    assert [line.split("  ")[0] for line in lines[1:6]] == [
        "architecture",
        "decoder",
        "vision",
        "quantisation",
        "files",
    ]
    assert lines[6].startswith("memory at 8,192 tokens")
