"""An answer in the making: ids sorted into thought and speech, turned into whole characters, stopped, and timed."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import mlx.core as mx

from mlx_gemma.generate.sampling import Sampler
from mlx_gemma.generate.stops import StopStrings
from mlx_gemma.model.weights import Progress
from mlx_gemma.text import control
from mlx_gemma.text.prompt import Ids, Turn
from mlx_gemma.text.thinking import ThinkingSplit
from mlx_gemma.text.tokenizer import Detokenizer, Tokenizer
from vision.pixels import Fit, PanAndScan

StopReason = Literal["stop", "length", "stop_string", "interrupted"]


@dataclass(frozen=True)
class Options(Sampler):
    """How to answer: how tokens are drawn, and the rest.

    thinking: True asks for it (MedGemma 1.5 and 27B), False makes it impossible, None leaves it to the model.
    stop: strings that end the answer, and are not part of it.
    pan_and_scan: also show crops of long pictures. fit: how a picture becomes a square (vision.prepare).
    progress: called with (tokens computed, tokens in all) while the prompt is read, on the engine's thread.

    Raises OptionError for a value that has no meaning.
    """

    max_tokens: int = 2048
    seed: int | None = None
    stop: Sequence[str] = ()
    thinking: bool | None = None
    pan_and_scan: PanAndScan | None = None
    fit: Fit = "squash"
    progress: Progress | None = None


@dataclass(frozen=True)
class Piece:
    """A bit of an answer as it is made. thinking: it belongs to the thought before the answer."""

    text: str
    token: int
    thinking: bool = False


@dataclass(frozen=True)
class Stats:
    """ttft_s: seconds from asking to the first token. tokens_per_s: of the tokens after the first.

    reused_tokens: of the prompt, computed in an earlier turn. peak_memory_bytes: MLX's, since the question.
    """

    ttft_s: float
    tokens_per_s: float
    reused_tokens: int
    peak_memory_bytes: int


@dataclass(frozen=True)
class Reply:
    """An answer. completion_tokens counts thought and answer, without the token that stopped it."""

    text: str
    thinking: str
    prompt_tokens: int
    completion_tokens: int
    stop_reason: StopReason
    stats: Stats


class Answer:
    """Takes ids as they come and yields what can be shown of them."""

    def __init__(self, tokenizer: Tokenizer, stop_ids: frozenset[int], options: Options) -> None:
        self.tokenizer = tokenizer
        self.stop_ids = stop_ids
        self.limit = options.max_tokens
        self.forbidden = self._forbidden(options)
        self.ids: list[int] = []
        self.begun = False
        self.stop_reason: StopReason = "interrupted"
        self._split = ThinkingSplit(tokenizer)
        self._thought = Detokenizer(tokenizer)
        self._speech = Detokenizer(tokenizer)
        self._stops = StopStrings(options.stop)
        self._thinking: list[str] = []
        self._text: list[str] = []
        self._asked = self._first = self._last = time.perf_counter()
        mx.reset_peak_memory()

    def pieces(self, stream: Iterable[int | None]) -> Iterator[Piece]:
        """Read ids (None where there is none yet) until a stop token, a stop string or their end."""
        for index in stream:
            if index is None:
                continue
            self._last = time.perf_counter()
            if not self.begun:
                self._first, self.begun = self._last, True
            if index in self.stop_ids:
                self.stop_reason = "stop"
                break
            self.ids.append(index)
            yield from self._show(self._split.feed(index), index)
            if self._stops.hit:
                self.stop_reason = "stop_string"
                return
        else:
            self.stop_reason = "length"
        last = self.ids[-1] if self.ids else -1
        yield from self._show(self._split.finish(), last)
        rest = self._stops.feed(self._speech.finish()) + self._stops.finish()
        yield from self._said(rest, last)

    def _show(self, fed: Sequence[tuple[str, int]], token: int) -> Iterator[Piece]:
        for channel, index in fed:
            if channel == "thinking":
                text = self._thought.add(index)
                self._thinking.append(text)
                if text:
                    yield Piece(text, token, thinking=True)
            else:
                yield from self._said(self._stops.feed(self._speech.add(index)), token)

    def _said(self, text: str, token: int) -> Iterator[Piece]:
        if text:
            self._text.append(text)
            yield Piece(text, token)

    def turn(self) -> Turn:
        """The answer as the next prompt repeats it: its very ids, unless they hold what is not repeated."""
        plain = self.stop_reason != "stop_string" and self.tokenizer.control_ids.isdisjoint(self.ids)
        return Turn("model", (Ids(tuple(self.ids)),) if plain else ("".join(self._text),))

    def reply(self, prompt_tokens: int, reused_tokens: int) -> Reply:
        """What was said until now."""
        seconds = self._last - self._first
        return Reply(
            text="".join(self._text),
            thinking="".join(self._thinking),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(self.ids),
            stop_reason=self.stop_reason,
            stats=Stats(
                ttft_s=self._first - self._asked,
                tokens_per_s=(len(self.ids) - 1) / seconds if len(self.ids) > 1 and seconds > 0 else 0.0,
                reused_tokens=reused_tokens,
                peak_memory_bytes=mx.get_peak_memory(),
            ),
        )

    def _forbidden(self, options: Options) -> list[int]:
        mark = self.tokenizer.special.get(control.THINK)
        return [mark] if options.thinking is False and mark is not None else []
