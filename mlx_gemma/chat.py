"""A conversation about text and pictures: what was said, what the model has computed of it, and the next answer."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mlx_gemma.generate.answer import Answer, Options, Piece, Reply, Stats
from mlx_gemma.generate.eyes import Shown
from mlx_gemma.generate.prompt import Prompt, checked
from mlx_gemma.generate.session import Session
from mlx_gemma.text.prompt import ImageLayout, ImageSlot, Turn, render
from mlx_gemma.text.thinking import ask_to_think
from vision.errors import PictureError
from vision.pictures import Picture, open_picture
from vision.pixels import squares

if TYPE_CHECKING:
    from mlx_gemma.gemma import Gemma

__all__ = ["Chat", "Options", "Piece", "Reply", "Stats"]

Viewable = str | Path | Picture | Image.Image


class Chat:
    """A conversation with a model. Pictures stay with their message; later turns compute only what is new.

    turns: what was said so far. last_reply: the latest answer, whole or interrupted.
    """

    def __init__(self, gemma: "Gemma", system: str | None = None) -> None:
        self.gemma = gemma
        self.system = system
        self.turns: list[Turn] = []
        self.last_reply: Reply | None = None
        self._pictures: list[Shown] = []
        self._session: Session = gemma.engine.run(lambda: Session(gemma.model, gemma.eyes))

    def ask(
        self, text: str, images: Sequence[Viewable] = (), options: Options | None = None, **changes: Any
    ) -> Reply:
        """Say something, with pictures or without, and wait for the answer. Keywords are the fields of Options.

        Raises PictureError, PromptError, OptionError; the conversation then stands as it did before.
        """
        for _ in self.stream(text, images, options, **changes):
            pass
        assert self.last_reply is not None  # a stream that ended has an answer
        return self.last_reply

    def stream(
        self, text: str, images: Sequence[Viewable] = (), options: Options | None = None, **changes: Any
    ) -> Generator[Piece, None, None]:
        """The same, piece by piece. Closing the stream early keeps what was said until then as the answer."""
        options = replace(options or Options(), **changes)
        turn, shown = self._message(text, images, options)
        turns, pictures = [*self.turns, turn], [*self._pictures, *shown]
        ids = render(turns, self._system(options), self.gemma.tokenizer, self._layout())
        prompt = checked(Prompt(np.array(ids, dtype=np.int32), tuple(pictures)), self.gemma.config)
        answer = Answer(self.gemma.tokenizer, self.gemma.stop_ids, options)
        made = self.gemma.generate(
            self._session,
            prompt,
            options,
            max_tokens=options.max_tokens,
            seed=options.seed,
            also_forbidden=answer.forbidden,
            progress=options.progress,
        )
        try:
            yield from answer.pieces(self.gemma.engine.stream(made))
        finally:
            if answer.begun:
                self.turns = [*turns, answer.turn()]
                self._pictures = pictures
                self.last_reply = answer.reply(len(ids), self._session.reused)

    def _message(self, text: str, images: Sequence[Viewable], options: Options) -> tuple[Turn, list[Shown]]:
        """A user's turn, pictures before text (as MedGemma 1.5 was trained), and the squares the model will see."""
        vision = self.gemma.config.vision
        parts: list[ImageSlot | str] = []
        shown: list[Shown] = []
        for image in images:
            if vision is None:
                raise PictureError(
                    "this model reads text only; use a multimodal checkpoint, or leave the picture out"
                )
            picture = open_picture(image) if isinstance(image, str | Path) else image
            views = squares(picture, vision.image_size, fit=options.fit, pan_and_scan=options.pan_and_scan)
            parts.append(ImageSlot(crops=len(views) - 1))
            shown += [Shown.of(view) for view in views]
        return Turn("user", (*parts, text)), shown

    def _system(self, options: Options) -> str | None:
        return ask_to_think(self.system) if options.thinking else self.system

    def _layout(self) -> ImageLayout | None:
        config = self.gemma.config
        if config.vision is None:
            return None
        return ImageLayout(
            config.tokens_per_image, config.boi_token_id, config.eoi_token_id, config.image_token_id
        )
