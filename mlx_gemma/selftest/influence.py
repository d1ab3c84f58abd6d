"""Does the model look? Another picture must change the logits, the same picture must not.

An image that is silently ignored, and a report made up from the question alone, is the worst of the peers' failures.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlx_gemma.text.prompt import ImageLayout, ImageSlot, Turn, render
from vision.errors import PictureError

if TYPE_CHECKING:
    from mlx_gemma.gemma import Gemma

QUESTION = "Describe this picture."


@dataclass(frozen=True)
class Influence:
    """The greatest change of a logit at the end of a prompt: with another picture, and with the same one again."""

    other_picture: float
    same_picture: float

    @property
    def sees(self) -> bool:
        """Whether the picture matters, well beyond what two runs differ by."""
        return self.other_picture > max(0.01, 10 * self.same_picture)


def influence(gemma: "Gemma") -> Influence:
    """Measure it, with two plain pictures: one darkens to the right, the other downwards.

    Raises PictureError for a model that reads text only.
    """
    config = gemma.config
    if config.vision is None:
        raise PictureError("this model reads text only: there are no eyes to test")
    layout = ImageLayout(
        config.tokens_per_image, config.boi_token_id, config.eoi_token_id, config.image_token_id
    )
    ids = render([Turn("user", (ImageSlot(), QUESTION))], None, gemma.tokenizer, layout)
    across = slope(config.vision.image_size)
    down = across.swapaxes(1, 2)
    first, again, other = (gemma.logits(ids, pixels)[-1] for pixels in (across, across, down))
    return Influence(float(np.abs(other - first).max()), float(np.abs(again - first).max()))


def slope(size: int) -> NDArray[np.float32]:
    """One picture (1, size, size, 3) that goes from white to black from left to right."""
    row = np.linspace(1, -1, size, dtype=np.float32)
    return np.broadcast_to(row[None, None, :, None], (1, size, size, 3)).copy()
