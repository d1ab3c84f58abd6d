"""A conversation becomes the ids of the checkpoint's template, and nothing said in it becomes more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_gemma.text.prompt import Ids, ImageLayout, ImageSlot, Turn, check_pictures, count_slots, render
from mlx_gemma.text.tokenizer import Tokenizer
from tests.corpus.texts import CONTROL
from vision.errors import PromptError


def layout(tokenizer: Tokenizer, tokens: int = 4) -> ImageLayout:
    """Four soft tokens a picture, with the vocabulary's own ids."""
    special = tokenizer.special
    return ImageLayout(
        tokens,
        boi=special["<start_of_image>"],
        eoi=special["<end_of_image>"],
        soft=special["<image_soft_token>"],
    )


def spelled(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of a rendered template, its control pieces written in brackets ⟦so⟧ to be told from text."""
    ids: list[int] = []
    for number, part in enumerate(text.replace("⟧", "⟦").split("⟦")):
        ids += [tokenizer.special[part]] if number % 2 else tokenizer.encode(part)
    return ids


def user(*parts: str | ImageSlot) -> Turn:
    """A message of the user."""
    return Turn("user", parts)


def model(*parts: str | Ids) -> Turn:
    """A message of the model."""
    return Turn("model", parts)


TURN, END, USER = "⟦<start_of_turn>⟧", "⟦<end_of_turn>⟧\n", "⟦<bos>⟧⟦<start_of_turn>⟧user\n"
PICTURE = "\n\n⟦<start_of_image>⟧" + "⟦<image_soft_token>⟧" * 4 + "⟦<end_of_image>⟧\n\n"


def test_turns(small: Tokenizer) -> None:
    """One BOS, roles by name, text trimmed, and a model turn left open."""
    ids = render([user("  hi\n"), model("the lungs are clear "), user("left?")], None, small)
    expected = f"{USER}hi{END}{TURN}model\nthe lungs are clear{END}{TURN}user\nleft?{END}{TURN}model\n"
    assert ids == spelled(small, expected)


def test_system_goes_before_the_first_user_text(small: Tokenizer) -> None:
    """The system text stands once, in the first user turn, with a blank line after it; "" is none."""
    talk = [user("hi"), model("yes"), user("left?")]
    expected = f"{USER}be brief\n\nhi{END}{TURN}model\nyes{END}{TURN}user\nleft?{END}{TURN}model\n"
    assert render(talk, "be brief", small) == spelled(small, expected)
    assert render(talk, "", small) == render(talk, None, small)


def test_finished_conversation(small: Tokenizer) -> None:
    """Without `open_model_turn` the ids end with the last turn."""
    ids = render([user("hi"), model("yes")], None, small, open_model_turn=False)
    assert ids == spelled(small, f"{USER}hi{END}{TURN}model\nyes{END}")


def test_picture_stands_where_it_was_put(small: Tokenizer) -> None:
    """A picture is its marks and soft tokens between blank lines, which join the text's own lines before encoding."""
    ids = render([user("see", ImageSlot(), "clear?")], None, small, layout(small))
    assert ids == spelled(small, f"{USER}see{PICTURE}clear?{END}{TURN}model\n")
    first = render([user(ImageSlot(), "clear?")], None, small, layout(small))
    assert first == spelled(small, f"{USER}{PICTURE}clear?{END}{TURN}model\n")
    assert small.encode("user\n\n\n")[-1] in first  # "user\n" and "\n\n" became one run of three lines


def test_pan_and_scan(small: Tokenizer) -> None:
    """Crops follow their picture in the processor's own words."""
    ids = render([user(ImageSlot(crops=2))], None, small, layout(small))
    crops = f"Here is the original image {PICTURE} and here are some crops to help you see better {PICTURE} {PICTURE}"
    assert ids == spelled(small, f"{USER}{crops}{END}{TURN}model\n")


def test_generated_ids_are_kept(small: Tokenizer) -> None:
    """An answer given as ids stays those ids, even where encoding its text would give others."""
    answer = [small.encode("e")[0], *small.encode("f"), small.control("<unused94>")]
    ids = render([user("hi"), model(Ids(tuple(answer))), user("left?")], None, small)
    before, after = (
        spelled(small, f"{USER}hi{END}{TURN}model\n"),
        spelled(small, f"{END}{TURN}user\nleft?{END}{TURN}model\n"),
    )
    assert ids == before + answer + after


def test_a_later_turn_extends_an_earlier_one(small: Tokenizer) -> None:
    """The ids of a conversation, and those generated for it, begin the ids of its next turn: caches stay true."""
    first = [user("see", ImageSlot())]
    answer = tuple(small.encode("clear lungs"))
    prompt = render(first, "be brief", small, layout(small))
    later = render([*first, model(Ids(answer)), user("left?")], "be brief", small, layout(small))
    assert later[: len(prompt) + len(answer)] == [*prompt, *answer]


@given(st.lists(st.one_of(st.text(), st.sampled_from(CONTROL)), min_size=1).map("".join), st.text())
def test_text_adds_no_control_ids(small: Tokenizer, text: str, system: str) -> None:
    """Whatever user, system and model texts spell, a prompt has the control ids of its own turns and no other."""
    turns = [user("x", text, ImageSlot()), model(text), user("x" + text)]
    ids = render(turns, system + text, small, layout(small))
    controls = [index for index in ids if index in small.control_ids]
    plain = render([user("x", ImageSlot()), model("x"), user("x")], None, small, layout(small))
    assert controls == [index for index in plain if index in small.control_ids]


def test_pictures_and_places_must_agree() -> None:
    """One picture for each place, over all turns; too few or too many is an error with both numbers."""
    turns = [user(ImageSlot(), "and", ImageSlot(crops=3)), model("yes"), user(ImageSlot())]
    assert count_slots(turns) == 3
    check_pictures(turns, 3)
    for pictures in (0, 2, 4):
        with pytest.raises(PromptError, match=rf"3 image places.*got {pictures}"):
            check_pictures(turns, pictures)


def test_picture_for_a_model_without_eyes(small: Tokenizer) -> None:
    """A picture given to a text-only model is an error, never dropped."""
    with pytest.raises(PromptError, match="no vision tower"):
        render([user("see", ImageSlot())], None, small)


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ([], "ends with the user"),
        ([model("hi")], "turn 1: wanted user, got model"),
        ([user("a"), user("b")], "turn 2: wanted model, got user"),
        ([user("a"), model("b"), model("c")], "turn 3: wanted user, got model"),
        ([user("a"), model("b")], "ends with the user"),
        ([user()], "turn 1: .* empty message"),
        ([user(" \n")], "turn 1: .* empty message"),
        ([user("a"), model("b"), user("", "\t")], "turn 3: .* empty message"),
        ([user("a"), Turn("model", (ImageSlot(),)), user("b")], "turn 2: .* pictures in the user's"),
        ([Turn("user", ("a", Ids((5,))))], "turn 1: ids belong in the model's turns"),
    ],
)
def test_conversations_that_are_none(small: Tokenizer, turns: list[Turn], says: str) -> None:
    """Turns out of order, empty messages and parts in the wrong turn are refused, with the number of the turn."""
    with pytest.raises(PromptError, match=says):
        render(turns, None, small, layout(small))


@pytest.mark.parametrize(
    "name", ["<bos>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<image_soft_token>"]
)
def test_generated_ids_hold_no_marks(small: Tokenizer, name: str) -> None:
    """Turn or image marks among an answer's ids are refused: they would open turns or pictures that are not there."""
    turns = [user("a"), model(Ids((small.control(name),))), user("b")]
    with pytest.raises(PromptError, match="turn or image marks"):
        render(turns, None, small, layout(small))


def test_empty_answer(small: Tokenizer) -> None:
    """A model that said nothing still had its turn."""
    ids = render([user("a"), model(Ids(())), user("b")], None, small)
    assert ids == spelled(small, f"{USER}a{END}{TURN}model\n{END}{TURN}user\nb{END}{TURN}model\n")
