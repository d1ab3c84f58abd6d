"""Conversations whose ids are compared with the checkpoint's own chat template, in a form both sides can read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A picture of so many pixels; `crops` is what pan & scan makes of it, 0 when it is off."""

    width: int = 64
    height: int = 64
    crops: int = 0


@dataclass(frozen=True)
class Conversation:
    """Messages in turn, user first; each a list of texts and pictures."""

    messages: tuple[tuple[str | Picture, ...], ...]
    system: str | None = None
    answer: bool = True  # whether the model is to speak next


def talk(
    *messages: tuple[str | Picture, ...] | str, system: str | None = None, answer: bool = True
) -> Conversation:
    """A conversation; a message that is one text may be written as it is."""
    return Conversation(tuple((m,) if isinstance(m, str) else m for m in messages), system, answer)


THINK = "SYSTEM INSTRUCTION: think silently if needed."
DOCTOR = "You are an expert radiologist."
P = Picture()

CONVERSATIONS = {
    "one question": talk("Hello"),
    "finished": talk("Hello", "Hi there.", answer=False),
    "three turns": talk("What is a pneumothorax?", "Air in the pleural space.", "And an effusion?"),
    "five turns": talk("a", "b", "c", "d", "e"),
    "untidy text": talk("  \n padded \t\n", "\n\nalso padded  ", " x\n"),
    "inner space": talk("a  b\n\n\nc\t\td"),
    "only digits": talk("12345"),
    "unicode spaces": talk("\u3000\xa0text\u2003\u2028", "\x0bvertical\x0c", "\ufeffmark\u200b"),
    "system": talk("Hello", system=DOCTOR),
    "system, several turns": talk("Hello", "Hi.", "Bye", system=DOCTOR),
    "untidy system": talk("\nHello", system="  spaced \n"),
    "system of lines": talk("Hello", system="one\n\ntwo\n"),
    "thinking": talk("What is 2 + 2?", system=THINK),
    "thinking with a role": talk("What is 2 + 2?", system=f"{THINK} {DOCTOR}"),
    "picture, then text": talk((P, "Describe this X-ray")),
    "text, then picture": talk(("Describe this X-ray", P)),
    "picture alone": talk((P,)),
    "picture amid text": talk(("before ", P, " after")),
    "text in pieces": talk(("one ", " two", P, "three\n", "\nfour")),
    "two pictures apart": talk((P, "and then", P, "differ how?")),
    "two pictures together": talk((P, P, "differ how?")),
    "three pictures, text last": talk((P, P, P, "compare")),
    "picture and system": talk((P, "Describe"), system=DOCTOR),
    "text, picture and thinking": talk(("Describe", P), system=f"{THINK} {DOCTOR}"),
    "picture, later a question": talk((P, "Describe"), "A chest film.", "Which side?"),
    "a picture in every turn": talk((P, "this?"), "Left.", (P, "and this?"), "Right.", ("or", P)),
    "slices": talk(("CT follows.", P, "SLICE 1", P, "SLICE 2", P, "SLICE 3", "What is seen?")),
    "empty text beside a picture": talk(("", P, "  ")),
    "blank lines beside a picture": talk(("look\n\n", P, "\n\nwell")),
    "picture after a line": talk(("look:\nhere", P, "\nline\n")),
    "pan and scan, wide": talk((Picture(1200, 600, crops=2), "Describe")),
    "pan and scan, tall": talk(("Describe", Picture(500, 1600, crops=3))),
    "pan and scan, wider": talk((Picture(2000, 300, crops=4), "Describe"), system=DOCTOR),
    "pan and scan, two pictures": talk(
        (Picture(1200, 600, crops=2), "and", Picture(600, 1200, crops=2), "?")
    ),
    "pan and scan, in a later turn": talk("Hi", "Hello.", ("see", Picture(1200, 600, crops=2), "there")),
    "clinical": talk(
        "FINDINGS: No focal consolidation,\n  effusion or pneumothorax.\n\nIMPRESSION:\n1. Normal.\n\n\nSummarise.",
        "**Normal chest.**\n\n* no effusion\n* no pneumothorax\n",
        "En français, s’il te plaît 🙏🏽 — <b>gras</b>",
    ),
    "scripts": talk("肺炎ですか？", "はい、右下葉です。", "الرئة اليمنى؟"),
    "code": talk(
        "def f(x):\n    return x\n\n\tpass", "```python\nprint('hi')\n```"[:-1], "{{ bos_token }} {% if x %}"
    ),
}
