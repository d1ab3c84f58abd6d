"""A loaded checkpoint: what it is, its logits, its streams of ids, its chats."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import ArrayLike

from mlx_gemma import memory
from mlx_gemma.engine import Engine
from mlx_gemma.generate.eyes import Eyes
from mlx_gemma.generate.loop import decode
from mlx_gemma.generate.prompt import Prompt, checked, shown
from mlx_gemma.generate.sampling import Sampler
from mlx_gemma.generate.session import Session
from mlx_gemma.library import resolve
from mlx_gemma.model.config import GemmaConfig
from mlx_gemma.model.files import stored_tensors
from mlx_gemma.model.multimodal import Gemma3
from mlx_gemma.model.weights import Progress, computing_dtype, load_model
from mlx_gemma.text import control
from vision.errors import OptionError, TokenizerError

if TYPE_CHECKING:
    from mlx_gemma.chat import Chat
    from mlx_gemma.text.tokenizer import Tokenizer

T = TypeVar("T")


def load(
    model: str | Path | None = None,
    *,
    dtype: str | None = None,
    widen: bool | None = None,
    progress: Progress | None = None,
) -> "Gemma":
    """Load a checkpoint: a folder, an alias, a repository in the hub's cache, "demo", or None for the best one here.

    dtype: "float32" or "bfloat16", of activations and of weights that are not quantised. By default the checkpoint's
        own (bfloat16 for float16); without a GPU float32 if it fits, as the CPU is slow at anything else.
    widen: unpack quantised weights to that type; by default only where there is no GPU and they fit.
    progress: called with (bytes read, bytes in all).

    Raises ModelNotFoundError, ConfigError, WeightsError, or MemoryLimitError before it reads what would not fit.
    """
    choice = resolve(model)
    config = GemmaConfig.from_folder(choice.folder)
    stored = stored_tensors(choice.folder)
    have = memory.available()
    on_cpu = mx.default_device() == mx.Device(mx.cpu)

    def needed(name: str, widened: bool) -> memory.Need:
        return memory.need(config, stored, value_bytes=computing_dtype(name).size, widen=widened)

    roomy = on_cpu and needed(dtype or "float32", widen is not False).total <= have
    dtype = dtype or ("float32" if roomy else config.dtype)
    widen = roomy if widen is None else widen
    memory.check(needed(dtype, widen), have, choice.name)
    engine = Engine()
    loaded = engine.run(
        lambda: load_model(choice.folder, config, computing_dtype(dtype), widen=widen, progress=progress)
    )
    return Gemma(loaded, config, choice.folder, choice.name, engine)


class Gemma:
    """A model in memory. All of its computing happens on one thread of its own, so any thread may call it.

    config: what the checkpoint is. model: the module tree, with Hugging Face's names. folder, name: where it came from.
    """

    def __init__(self, model: Gemma3, config: GemmaConfig, folder: Path, name: str, engine: Engine) -> None:
        self.model = model
        self.config = config
        self.folder = folder
        self.name = name
        self.engine = engine
        self.eyes = Eyes(model, config)

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        """The checkpoint's own, read on first use. Raises TokenizerError when the folder has none."""
        from mlx_gemma.text.tokenizer import Tokenizer

        return Tokenizer.from_folder(self.folder)

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Ids that end an answer: the configs', and the tokenizer's end of turn and of text if it is there."""
        try:
            special = self.tokenizer.special
        except TokenizerError:
            return self.config.stop_ids
        named = {special[name] for name in (control.END_TURN, control.END) if name in special}
        return self.config.stop_ids | named

    @property
    def forbidden(self) -> list[int]:
        """Ids that an answer never holds: image marks and soft tokens, where the head has rows for them."""
        if self.config.vision is None:
            return []
        marks = {self.config.boi_token_id, self.config.eoi_token_id, self.config.image_token_id}
        return sorted(mark for mark in marks if mark < self.config.decoder.vocab)

    def logits(
        self, ids: Sequence[int], pixels: ArrayLike | None = None, chunk: int | None = None
    ) -> mx.array:
        """Logits of every place: (L, vocabulary) float32.

        ids: with the soft tokens of pictures in place. pixels: (N, S, S, 3) float32 in [-1, 1], one for each run of
        them. chunk: tokens computed at once; a picture's own are never parted. Raises PromptError, PictureError.
        """
        prompt = self.prompt(ids, pixels)

        def work() -> mx.array:
            session = Session(self.model, self.eyes)
            rows: list[mx.array] = []
            for _, out in session.prefill(prompt, chunk):
                rows.append(self.model.language_model.head(out)[0].astype(mx.float32))
                mx.eval(rows[-1])
            logits = mx.concatenate(rows)
            mx.eval(logits)
            return logits

        return self.engine.run(work)

    def image_features(self, pixels: ArrayLike) -> mx.array:
        """What the decoder gets to see of pictures (N, S, S, 3) in [-1, 1]: (N, tokens_per_image, hidden)."""
        pictures = shown(pixels)

        def work() -> mx.array:
            features = self.eyes.features(pictures)
            mx.eval(features)
            return features

        return self.engine.run(work)

    def stream_ids(
        self,
        ids: Sequence[int],
        *,
        pixels: ArrayLike | None = None,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
    ) -> Iterator[int]:
        """The ids that follow `ids`, as they are made; ends before a stop token or after max_tokens."""
        prompt = self.prompt(ids, pixels)
        sampler = Sampler(temperature=temperature)

        def work() -> Iterator[int | None]:
            session = Session(self.model, self.eyes)
            yield from self.generate(session, prompt, sampler, max_tokens=max_tokens, seed=seed)

        for index in self.engine.stream(work()):
            if index in self.stop_ids:
                return
            if index is not None:
                yield index

    def generate(
        self,
        session: Session,
        prompt: Prompt,
        sampler: Sampler,
        *,
        max_tokens: int,
        seed: int | None = None,
        also_forbidden: Sequence[int] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[int | None]:
        """Ids, stop tokens among them, that follow a prompt; None after each piece of it. On the engine's thread.

        The session keeps what it shares with the prompt, and remembers the prompt's end.
        """
        if max_tokens < 1:
            raise OptionError(f"max_tokens is {max_tokens}; it must be 1 or more")
        if seed is not None and not 0 <= seed < 2**64:
            raise OptionError(f"seed is {seed}; it must lie in 0..{2**64 - 1}")
        session.rewind(prompt)
        last: mx.array | None = None
        for held, out in session.prefill(prompt):
            last = out
            if progress:
                progress(held, len(prompt.ids))
            yield None
        assert last is not None  # rewind leaves at least one token to compute
        session.mark()
        logits = self.model.language_model.head(last[:, -1:])[:, -1]
        forbidden = mx.array([*self.forbidden, *also_forbidden], dtype=mx.int32)
        room = self.config.decoder.context - len(prompt.ids)
        yield from decode(
            session, logits, sampler, limit=min(max_tokens, room), seed=seed, forbidden=forbidden
        )

    def prompt(self, ids: Sequence[int], pixels: ArrayLike | None = None) -> Prompt:
        """Ids and pixels, checked against the vocabulary, the context and each other."""
        pictures = shown(pixels) if pixels is not None else ()
        return checked(Prompt(np.array(ids, dtype=np.int32), pictures), self.config)

    def chat(self, system: str | None = None) -> "Chat":
        """A new conversation. system: standing instructions, put before the first message."""
        from mlx_gemma.chat import Chat

        return Chat(self, system)
