"""Write prompts.json: what transformers makes of the conversations with the checkpoint's own template and tokenizer.

    python -m tests.text.make_prompts FOLDER        (needs torch and transformers 5.23; no test does)

FOLDER has the tokenizer.json and tokenizer_config.json (with the chat template) of a Gemma 3 checkpoint. A run of n
soft tokens is written as the number -n.
"""

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import AutoTokenizer
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.gemma3.processing_gemma3 import Gemma3Processor

from tests.text.conversations import CONVERSATIONS, Conversation, Picture

GOLDEN = Path(__file__).with_name("prompts.json")
SIDE = 28  # how large pictures are made here; their number of tokens does not depend on it


def messages(conversation: Conversation) -> list[dict[str, Any]]:
    """The conversation as transformers wants it, with real pictures."""
    turns: list[dict[str, Any]] = []
    if conversation.system is not None:
        turns.append({"role": "system", "content": [{"type": "text", "text": conversation.system}]})
    for number, parts in enumerate(conversation.messages):
        content = [
            {"type": "image", "image": Image.new("RGB", (part.width, part.height))}
            if isinstance(part, Picture)
            else {"type": "text", "text": part}
            for part in parts
        ]
        turns.append({"role": ("user", "assistant")[number % 2], "content": content})
    return turns


def main(folder: Path) -> None:
    """Render every conversation and write the ids."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    soft = tokenizer.convert_tokens_to_ids("<image_soft_token>")
    processor = Gemma3Processor(
        Gemma3ImageProcessorPil(size={"height": SIDE, "width": SIDE}),
        tokenizer,
        chat_template=tokenizer.chat_template,
    )
    golden: dict[str, list[int]] = {}
    for name, conversation in CONVERSATIONS.items():
        crops = any(
            isinstance(part, Picture) and part.crops for parts in conversation.messages for part in parts
        )
        made = processor.apply_chat_template(
            messages(conversation),
            tokenize=True,
            return_dict=True,
            add_generation_prompt=conversation.answer,
            processor_kwargs={"do_pan_and_scan": crops},
        )
        golden[name] = [
            number
            for index, run in groupby(made["input_ids"][0])
            for number in ([-len(list(run))] if index == soft else [index] * len(list(run)))
        ]
    GOLDEN.write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
