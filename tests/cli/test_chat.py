"""`mlx_gemma chat` as a person or a program uses it, in a process of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run, said

ENDLESS = "100000"  # tokens: more than any test waits for


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start `mlx_gemma ARGS` without waiting for it.

    The tests themselves may run where Ctrl-C is ignored (nohup, a job in the background), and children inherit that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun: list[subprocess.Popen[bytes]] = []

    def start(*args: str | Path, **streams: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mlx_gemma", *map(str, args)]
        streams = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **streams,
        }
        begun.append(subprocess.Popen(command, env=environment, cwd=tmp_path, **streams))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """Two pictures."""
    paths = [tmp_path / "across.png", tmp_path / "down.png"]
    picture = Image.linear_gradient("L")
    picture.save(paths[0])
    picture.rotate(90).save(paths[1])
    return paths


def test_json_is_one_object(run: Run, seeing: Path) -> None:
    """`--json` prints one object with the documented fields, in the documented units, and nothing else."""
    done = run("chat", "--model", seeing, "-p", "Hello", "--max-tokens", "5", "--json")
    assert said(done.stderr) == []
    answer = json.loads(done.stdout)
    kinds = {key: type(value) for key, value in answer.items()}
    assert kinds == {
        "text": str,
        "thinking": str,
        "prompt_tokens": int,
        "completion_tokens": int,
        "stop_reason": str,
        "ttft_s": float,
        "tokens_per_s": float,
        "peak_memory_bytes": int,
        "model": str,
        "demo": bool,
    }
    assert (answer["completion_tokens"], answer["stop_reason"]) == (5, "length")
    assert (answer["model"], answer["demo"]) == ("seeing", False)
    assert 0 < answer["ttft_s"] < 60
    assert answer["peak_memory_bytes"] > 1_000_000


def test_piped_question_is_the_same_question(run: Run, seeing: Path) -> None:
    """What is piped in is answered as what `-p` gives."""
    asked = run("chat", "--model", seeing, "-p", "Is there an effusion?", "--max-tokens", "9", "--json")
    piped = run("chat", "--model", seeing, "--max-tokens", "9", "--json", text="Is there an effusion?")
    assert json.loads(piped.stdout)["text"] == json.loads(asked.stdout)["text"] != ""


def test_prompt_leaves_the_pipe_alone(start: Start, seeing: Path) -> None:
    """With `-p`, a pipe that stays open and silent is not waited for: no hang under cron, ssh or make."""
    silent, _ = os.pipe()
    asked = start("chat", "--model", seeing, "-p", "Hello", "--max-tokens", "2", stdin=silent)
    assert asked.wait(timeout=60) == 0


def test_every_picture_counts(run: Run, seeing: Path, films: list[Path]) -> None:
    """Each repeated `--image` takes its tokens in the prompt, and the order of two pictures matters."""

    def answer(*pictures: Path) -> dict[str, object]:
        images = [part for picture in pictures for part in ("--image", picture)]
        done = run(
            "chat",
            "--model",
            seeing,
            "-p",
            "Compare.",
            "--temperature",
            "1",
            "--seed",
            "3",
            "--json",
            "--max-tokens",
            "40",
            *images,
        )
        return json.loads(done.stdout)

    across, down = films
    none, one, two, swapped = answer(), answer(across), answer(across, down), answer(down, across)
    assert none["prompt_tokens"] < one["prompt_tokens"] < two["prompt_tokens"] == swapped["prompt_tokens"]
    assert two["text"] != swapped["text"]


def test_seed_repeats_an_answer(run: Run, seeing: Path) -> None:
    """The same seed gives the same words, another seed others."""

    def answer(seed: str) -> str:
        options = ("--temperature", "1", "--seed", seed, "--max-tokens", "24", "--json")
        return json.loads(run("chat", "--model", seeing, "-p", "Hello", *options).stdout)["text"]

    assert answer("1") == answer("1") != answer("2")


def test_text_is_what_json_says(run: Run, seeing: Path) -> None:
    """Plain mode writes the same answer and one newline, and nothing on stderr for a model that is no demo."""
    options = ("chat", "--model", seeing, "-p", "Hello", "--max-tokens", "12")
    plain, whole = run(*options), json.loads(run(*options, "--json").stdout)
    assert plain.stdout == whole["text"].rstrip("\n") + "\n"
    assert said(plain.stderr) == []


def test_demo_says_so_first(run: Run) -> None:
    """The embedded model's answers begin, on stderr, with what it is; stdout holds the answer alone."""
    done = run("chat", "--model", "demo", "-p", "What can you do?", "--max-tokens", "8")
    assert said(done.stderr) == [
        "demo model: trained on drawn chest pictures, not on patients; nothing it says is medical"
    ]
    assert done.stdout.strip()
    assert json.loads(run("chat", "--model", "demo", "-p", "Hi", "--json").stdout)["demo"] is True


def test_default_model_is_announced(run: Run) -> None:
    """Where no MedGemma is found the demo answers, and one line says how to get the real one."""
    done = run("chat", "-p", "What can you do?", "--max-tokens", "8")
    note, announcement = said(done.stderr)
    assert note.startswith("demo model: ")
    assert announcement.startswith("model: none found")


def test_interrupt_keeps_what_was_written(start: Start, seeing: Path) -> None:
    """Ctrl-C in mid-answer: the text so far stays, the line is ended, exit code 130, and no traceback."""
    answering = start("chat", "--model", seeing, "-p", "Hello", "--max-tokens", ENDLESS)
    first = answering.stdout.read(1)
    answering.send_signal(signal.SIGINT)
    out, err = answering.communicate(timeout=20)
    assert answering.returncode == 130
    assert len(first + out) > 1
    assert out.endswith(b"\n")
    assert said(err) == []


def test_interrupted_json_is_still_an_object(start: Start, seeing: Path, tmp_path: Path) -> None:
    """Ctrl-C with `--json`: the object comes with the part that there is, and says that it was interrupted."""
    film = tmp_path / "film.png"
    Image.linear_gradient("L").save(film)
    answering = start(
        "chat", "--model", seeing, "-p", "Hello", "--image", film, "--max-tokens", ENDLESS, "--json"
    )
    with pytest.raises(subprocess.TimeoutExpired):
        answering.wait(timeout=6)  # by now it answers
    answering.send_signal(signal.SIGINT)
    out, err = answering.communicate(timeout=20)
    assert (answering.returncode, said(err)) == (130, [])
    assert json.loads(out)["stop_reason"] == "interrupted"
    assert json.loads(out)["completion_tokens"] > 0


def test_reader_may_leave(start: Start, seeing: Path) -> None:
    """`mlx_gemma chat ... | head -c 1`: when the reader goes, the program ends without a word."""
    answering = start("chat", "--model", seeing, "-p", "Hello", "--max-tokens", ENDLESS)
    answering.stdout.read(1)
    answering.stdout.close()
    assert answering.wait(timeout=20) != 0
    assert said(answering.stderr.read()) == []


def test_conversation_at_a_terminal(start: Start, seeing: Path, films: list[Path]) -> None:
    """Without a question, at a terminal: lines are answered, mistakes explained, Ctrl-C stops only the answer."""
    ours, theirs = pty.openpty()
    talking = start(
        "chat", "--model", seeing, "--max-tokens", "400", stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)

    def until(text: bytes) -> bytes:
        seen = b""
        while text not in seen:
            seen += os.read(ours, 4096)
        return seen

    until(b"> ")
    os.write(ours, b"/image nowhere.png\n")
    assert b"nowhere.png: no such picture file" in until(b"\n> ")
    os.write(ours, f"/image {films[0]}\n".encode())
    until(b"\n> ")
    os.write(ours, b"Hello\n")
    until(b"Hello\r\n")
    os.read(ours, 1)
    talking.send_signal(signal.SIGINT)
    assert b"Traceback" not in until(b"\n> ")
    os.write(ours, b"\x04")
    assert talking.wait(timeout=20) == 0
    os.close(ours)


def test_first_token_needs_no_heavy_library(seeing: Path) -> None:
    """The way to the first token imports neither transformers, textual, mlx_lm, rich nor the network's libraries."""
    code = (
        "import sys; from tui.cli import main\n"
        "try: main()\n"
        "finally: print(sorted(set(sys.modules) & {'transformers', 'textual', 'mlx_lm', 'rich', 'httpx', 'requests'}),"
        " file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "chat", "--model", str(seeing), "-p", "Hello", "--max-tokens", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, said(done.stderr)) == (0, ["[]"])


def test_no_verb_opens_a_socket(seeing: Path, films: list[Path]) -> None:
    """Chat, info and doctor run from start to end without making one internet socket."""
    code = (
        "import sys\n"
        "made = []\n"
        "sys.addaudithook(lambda event, args: made.append(args[1:3]) if event == 'socket.__new__' else None)\n"
        "from tui.cli import main\n"
        "try: main()\n"
        "finally: print('sockets', made, file=sys.stderr)"
    )
    image = ["--image", str(films[0])]
    for verb in (["chat", "-p", "Hello", "--max-tokens", "2", *image], ["doctor"]):
        command = [sys.executable, "-c", code, *verb, "--model", str(seeing)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, said(done.stderr)) == (0, ["sockets []"])
