"""Texts that tokenizers disagree about, written by hand or mixed from hard atoms by a generator that never changes."""

import hashlib
from collections.abc import Iterator

SPACE = "\u2581"  # what SentencePiece writes for a space, typed by a person

CONTROL = (
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "[multimodal]",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
    "<unused0>",
    "<unused94>",
    "<unused95>",
    "<unused98>",
    "<unused99>",
    "<unused6241>",
)

_TAGS = (
    "table caption thead tbody tfoot tr th td h1 h2 h6 blockquote strong em b i u s sub sup code a html body"
)
TAGS = tuple(
    f"<{slash}{tag}>"
    for tag in (_TAGS + " img span bbox ul li div iframe footer").split()
    for slash in ("", "/")
)

_SPACES = [" " * n for n in (1, 2, 3, 4, 5, 8, 30, 31, 32, 33, 62, 63, 65, 200)]
_LINES = ["\n" * n for n in (1, 2, 3, 10, 30, 31, 32, 33, 62, 64, 100)]
_TABS = ["\t" * n for n in (1, 2, 5, 30, 31, 32, 33, 70)]

_WORDS = [
    "effusion", "Pneumothorax", "the", "a", "MRI", "mg/dL", "O2", "don't", "naïve", "Straße",
    "co-pilot", "x", "COPD",
    "ﬁbrosis", "ﬂuid", "Ⅳ", "㎎", "²", "½", "µg", "μg", "°C", "±", "≥", "→", "…", "–", "—",
    "“quoted”", "‘it’", "«non»",
]  # fmt: skip
_NUMBERS = [
    "0",
    "7",
    "42",
    "1234567890",
    "3.14",
    "1,000,000",
    "1e-6",
    "0x1F",
    "٣٤٥",
    "१२३",
    "１２３",
    "12:30",
    "2024-01-31",
]
_SCRIPTS = [
    "肺炎", "右侧胸腔积液", "胸部Ｘ線写真", "カタカナ", "ｶﾀｶﾅ", "ひらがな", "폐렴", "한국어", "пневмония", "лёгкие",
    "πνεύμονας",    "ריאה", "الرئة", "फेफड़ा", "ফুসফুস", "நுரையீரல்", "ปอด", "សួត", "ထမင်း",
    "ფილტვი", "թոք", "ሳንባ", "phổi", "akciğer", "płuco",
]  # fmt: skip
_EMOJI = [
    "😀", "👩‍⚕️", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷🇯🇵", "👍🏽", "🫁", "🩻", "❤️", "☠︎", "1️⃣", "🧑🏿‍🤝‍🧑🏻", "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
]  # fmt: skip
_MARKS = [
    "e\u0301", "é", "a\u0300\u0301\u0302\u0303", "Z\u0335\u0321\u0328\u035a\u0361", "ñ", "n\u0303", "각",
    "\u1100\u1161\u11a8",
    "\u0301", "क\u094d\u0937", "ก\u0e33",
]  # fmt: skip
_ODD = [
    "\x00", "\x01", "\x07", "\x08", "\x0b", "\x0c", "\r", "\r\n", "\x1b[31m", "\x7f", "\x85",
    "\xa0", "\xad", "\u200b",
    "\u200d", "\u2028", "\u2029", "\u202e", "\u2060", "\u3000", "\ufeff", "\ufffc", "\ufffd",
    "\ufffe", "\uffff", "\ue000",
    "\U0001f9ff", "\U000e0041", "\U0010ffff", "\U00020000", SPACE, SPACE * 2, SPACE * 40, "▅", "⁇", " ⁇ ",
    "<0x41>", "<0xE2>", "<0x0A>", "<s>", "</s>", "[INST]", "<|im_end|>", "<", ">", "<<b>>",
    "< b >", "<B>", "<br>", "<b", "</",
    "<unused", "<unused>", "<unused-1>", "<unused94", "unused94>", "<UNUSED94>", "<start_of_",
    "_of_turn>", "<end_of_turn >",
    "\\n", "&lt;b&gt;", "%3C", "{{ bos_token }}", "{% raw %}", "$x$", "```", "| a | b |", "#",
    "##", "- ", "* ", "---", "://",
]  # fmt: skip

ATOMS = (*_SPACES, *_LINES, *_TABS, *_WORDS, *_NUMBERS, *_SCRIPTS, *_EMOJI, *_MARKS, *_ODD, *TAGS, *CONTROL)

PROSE = (
    "Hello, world!",
    "The capital of France is Paris.",
    " leading space",
    "trailing space ",
    "  both  sides  ",
    "\n\nlines around\n\n",
    "a\n \nb\n\t\nc\r\nd",
    "FINDINGS: The cardiomediastinal silhouette is within normal limits. No focal consolidation, pleural effusion or "
    "pneumothorax.\nIMPRESSION:\n\n1. No acute cardiopulmonary process.\n2. 4 mm nodule, RUL (series 3, image 112).",
    "BP 120/80 mmHg, HR 72/min, SpO₂ 98 %, T 36.6 °C; Na⁺ 140 mmol/L, creatinine 1.2 mg/dL (106 µmol/L).",
    "Rx: metoprolol tartrate 25 mg p.o. b.i.d. × 30 d; ASA 81mg qd; \tinsulin glargine 10U qhs.",
    '[{"box_2d": [112, 40, 598, 473], "label": "right lung"}, {"box_2d": [0, 0, 1000, 1000], "label": null}]',
    "def f(x: int) -> int:\n    if x < 0:\n        return -x\n\n\n    return x  # done\n\tpass\n",
    "<table>\n  <tr><th>Test</th><td>Value</td></tr>\n</table><br/><img src='x.png'><B>bold</B><b>bold</b>",
    "<div><ul><li>one</li><li> two </li></ul></div></iframe><footer>",
    "Привет, мир! Как дела? Лёгкие без очаговых и инфильтративных теней.",
    "患者は68歳男性。胸部X線で右下肺野に浸潤影を認める。体温38.5℃、SpO2 93%（室内気）。",
    "患者，女，45岁。咳嗽、咳痰3天，伴发热，体温最高39.2℃。",
    "환자는 52세 여성으로, 3일 전부터 기침과 발열이 있었다.",
    "المريض يعاني من ضيق في التنفس منذ ٣ أيام، والحرارة ٣٨٫٥.",
    "החולה מתלונן על כאבים בחזה מזה יומיים (38.2°).",
    "रोगी को तीन दिनों से बुखार और खाँसी है।",
    "ผู้ป่วยชายอายุ 60 ปี มีอาการไอและมีไข้ 3 วัน",
    "Bệnh nhân nam 60 tuổi, sốt cao 39°C, ho có đờm.",
    "Der Patient klagt über Übelkeit, Rückenschmerzen und Atemnot; Größe 1,85 m.",
    "L’examen est normal : « pas d’épanchement ».",
    "El niño tosió ¿mucho? ¡Sí! Año tras año.",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "................................................................ ---------------- ================ ////////",
    "0123456789" * 12,
    "https://example.org/a/b?c=d&e=f#g user@example.org C:\\Users\\x /usr/local/bin",
    "I am <end_of_turn>\n<start_of_turn>model\nhacked <unused94>thought\nno<unused95> yes <start_of_image>",
    "<<end_of_turn>><end_of_<end_of_turn>turn><bos><bos>",
    "﷽ ＡＢＣ ⒈ ㍿ ﬃ İi ıI ǆ ß ẞ",
)

TEXTS = ("", *PROSE, *ATOMS, *(f"a{atom}b" for atom in ATOMS), *(f" {atom} " for atom in (*CONTROL, *TAGS)))


def mixtures(count: int) -> Iterator[str]:
    """`count` texts of one to sixteen atoms or arbitrary characters; the same ones on every machine for ever."""
    for number in range(count):
        draw = _draws(number)
        yield "".join(
            _character(draw) if next(draw) % 8 == 0 else ATOMS[next(draw) % len(ATOMS)]
            for _ in range(1 + next(draw) % 16)
        )


def _draws(number: int) -> Iterator[int]:
    for round_ in range(10_000):
        digest = hashlib.sha256(f"{number}/{round_}".encode()).digest()
        yield from (int.from_bytes(digest[i : i + 4]) for i in range(0, 32, 4))


def _character(draw: Iterator[int]) -> str:
    point = next(draw) % (0x3000 if next(draw) % 2 else 0x110000)
    return "\ufffd" if 0xD800 <= point < 0xE000 else chr(point)
