"""Stop strings: found wherever the tokens cut them, and never half shown."""

from hypothesis import given
from hypothesis import strategies as st

from mlx_gemma.generate.stops import StopStrings

TEXT = st.text(alphabet="abcd", max_size=30)


def run(text: str, stops: list[str], cuts: list[int]) -> tuple[str, bool]:
    """Feed a text in pieces."""
    feeder, shown, at = StopStrings(stops), "", 0
    for cut in [*sorted(cuts), len(text)]:
        shown += feeder.feed(text[at:cut])
        at = max(at, cut)
    return shown + feeder.finish(), feeder.hit


@given(
    TEXT, st.lists(st.text(alphabet="abcd", min_size=1, max_size=4), max_size=3), st.lists(st.integers(0, 30))
)
def test_as_if_the_text_came_whole(text: str, stops: list[str], cuts: list[int]) -> None:
    """Whatever the pieces: all before the first stop string to be completed, or everything."""
    shown, hit = run(text, stops, [min(cut, len(text)) for cut in cuts])
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    assert hit == bool(ends)
    if not hit:
        assert shown == text
    else:
        assert text.startswith(shown)
        assert not any(stop in shown for stop in stops)
        assert any(text[len(shown) :].startswith(stop) for stop in stops)


def test_nothing_of_a_stop_string_is_shown_early() -> None:
    """An ending that may become one is held back until it cannot."""
    feeder = StopStrings(["STOP"])
    assert feeder.feed("say ST") == "say "
    assert feeder.feed("ATE") == "STATE"
    assert feeder.feed("STOP") == ""
    assert feeder.hit
    assert feeder.feed("more") == ""
