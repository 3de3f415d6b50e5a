"""What was written for the eye in any language: Markdown, tags, code, emoji. Pure.

Models answer in Markdown, emoji and links however they are asked not to. Code is left out: read
aloud it helps nobody. Nothing here knows a language, so it serves every voice.
"""

from __future__ import annotations

import html
import re
import unicodedata

from sayso.tts.rules import Rule, obey, rule

MOST_ESCAPES = 3
"""How often a text may have been escaped as HTML: "&amp;amp;amp;"."""

ENDS = ".!?…:;,—。！？；：،؟।"

LATEX = {
    "times": "×",
    "cdot": "×",
    "div": "÷",
    "pm": "±",
    "approx": "≈",
    "leq": "≤",
    "le": "≤",
    "geq": "≥",
    "ge": "≥",
    "neq": "≠",
    "ne": "≠",
    "infty": "∞",
    "to": "→",
    "rightarrow": "→",
    "pi": "π",
    "degree": "°",
    "circ": "°",
    "ldots": "…",
    "dots": "…",
}


def strip_markup(text: str) -> str:
    """`text` without its markup, on one line; what stood on lines of its own ends like a sentence.

    Numbers, addresses and signs that some language has words for are left as they are.
    """
    if not MARKED.search(text):
        return text.strip()
    text = obey(CODE, text)
    for _ in range(MOST_ESCAPES):
        text = html.unescape(text)
    return join_lines(obey(MARKUP, obey(TAGS, text)))


def join_lines(text: str) -> str:
    """One line of text; each line that ends like no sentence gets a full stop."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if any(character.isalnum() for character in line)]
    ended = [line if line[-1] in ENDS else f"{line}." for line in kept[:-1]]
    return " ".join([*ended, *kept[-1:]])


def drop_signs(text: str, spare: str = "") -> str:
    """`text` without characters that no voice has a sound for: symbols, controls, stray marks.

    `spare` are those that stay.
    """
    if not text.isascii() or not SPEAKABLE.fullmatch(text):
        text = "".join(_keep(text, at, spare) for at in range(len(text)))
    return obey(TIDYING, text).strip()


def _keep(text: str, at: int, spare: str) -> str:
    character = text[at]
    if character in spare:
        return character
    if character in "\u200c\u200d":  # joins and parts letters in Persian and Indian scripts
        return character if _is_letter(text, at - 1) and _is_letter(text, at + 1) else ""
    kind = unicodedata.category(character)
    if kind[0] in "LMN":
        return character
    return character if kind[0] == "P" and character not in SILENT else " "


def _is_letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and unicodedata.category(text[at])[0] in "LM"


def say_row(match: re.Match[str]) -> str:
    """A table's row as a list: "| Monday | 9-5 |" -> "Monday, 9-5"."""
    cells = [cell.strip() for cell in match[0].strip().strip("|").split("|")]
    return ", ".join(cell for cell in cells if cell)


MARKED = re.compile(
    r"[^\w\s,.;!?'\"’“”()%$€£/@+-]|(?<![^\W_])[_-]|_(?![^\W_])|\s-|[\n\r\v\f\x1c-\x1e\x85\u2028]"
    r"|[*`~]|^\s*[0-9]{1,3}\)|;-"
)
"""What markup, code and emoji are made of: text without any of it is left as it is."""

SPEAKABLE = re.compile(r"[a-zA-Z0-9 ,.;:!?'\"()-]*")

SILENT = frozenset("\\/@#%&*_[]{}•‣†‡※‰′″§¶·")
"""Punctuation a voice would spell out or stumble over."""

CODE: tuple[Rule, ...] = (
    rule(r"(?s:```.*?(?:```|\Z))", " "),
    rule(r"(?s:^~~~[a-z]{0,20}\n.*?(?:~~~|\Z))", " "),
    rule(r"`+([^`\n]*)`+", r"\1"),
    rule(r"(?s:<!--.*?(?:-->|\Z))", " "),
)

TAGS: tuple[Rule, ...] = (
    rule(r"(?i)<(?:br|p|/p|li|/li|tr|div|/div|s|/s)\s*/?>", "\n"),
    rule(r"(?i)<break\b[^<>\n]{0,200}>", ", "),
    rule(r"(?i)<sub\s+alias=\"([^\"<>\n]{0,200})\"\s*>[^<>\n]{0,200}</sub>", r"\1"),
    rule(r"<((?:https?|mailto):[^\s<>]{1,2000})>", r"\1"),
    rule(r"<([\w.+-]{1,64}@[\w.-]{1,255})>", r"\1"),
    rule(r"</?[a-zA-Z][^<>\n]{0,200}>", ""),
    rule(r"(?:(?<=\s)|^)\[(?:pause|laughs?|laughter|sighs?|music|silence)\](?=\s|$)", " "),
)

MARKUP: tuple[Rule, ...] = (
    # LaTeX
    rule(r"\\[\(\)\[\]]|\$\$", " "),
    rule(r"(?<![\w$])\$(?=[^\s$])([^$\n]{0,100}[\\^_=+][^$\n]{0,100})(?<=\S)\$(?![\w$])", r"\1"),
    rule(r"\\(?:text|mathrm|mathbf|boxed)\{([^{}\n]{1,200})\}", r"\1"),
    rule(r"\\d?frac\{([0-9]{1,2})\}\{([0-9]{1,2})\}", r"\1/\2"),
    rule(r"\\d?frac\{([^{}\n]{1,80})\}\{([^{}\n]{1,80})\}", r"\1 / \2"),
    rule(r"\\sqrt\{([^{}\n]{1,80})\}", r"√\1"),
    rule(r"\\([a-z]{2,10})\b", lambda match: f" {LATEX.get(match[1], match[1])} "),
    rule(r"\\(?=[^\w\s])", ""),
    # Links keep their words
    rule(
        r"!?\[([^\]\[\n]{0,500})\]\([^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?"
        r"(?:\s{1,9}\"[^\"\n]{0,500}\")?\)",
        r"\1",
    ),
    rule(r"\[\^[^\]\[\n]{1,20}\]:?", ""),
    rule(r"(?<=[\w.,!?])\[[0-9]{1,3}\](?!\()", ""),
    rule(r"\[([^\]\[\n]{1,500})\]\[[^\]\[\n]{0,200}\]", r"\1"),
    rule(r"\]\([^()\s]{0,2000}\)", ""),
    # The shapes of Markdown at the beginning of a line
    rule(r"^[ \t|:-]{0,300}-{2,}[ \t|:-]{0,300}$", ""),
    rule(r"^[ \t]{0,99}[-*_=](?:[ \t]{0,9}[-*_=]){2,200}[ \t]{0,99}$", ""),
    rule(r"^[ \t]{0,99}\|.*\|[ \t]{0,99}$", say_row),
    rule(r"^[ \t]{0,99}(?:>[ \t]{0,9}){1,20}", ""),
    rule(r"^[ \t]{0,99}#{1,6}[ \t]{1,99}", ""),
    rule(r"(?<=\S)[ \t]{1,9}#{1,6}$", ""),
    rule(r"^[ \t]{0,99}[-*+•▪◦‣–—][ \t]{1,99}(?:\[[ xX]?\][ \t]{0,9})?", ""),
    rule(r"^[ \t]{0,99}([0-9]{1,3})\)[ \t]{1,99}", r"\1. "),
    # Arithmetic, before its stars are taken for emphasis
    rule(r"(?<=[0-9)])\s{0,9}\*\*\s{0,9}(?=[0-9(])", "^"),
    rule(r"(?<=[0-9)])\s{0,9}\*\s{0,9}(?=[0-9(])", " × "),
    # Emphasis
    rule(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|~~", ""),
    rule(r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)", ""),
    # Emoji: flags, keycaps, skin tones, joiners and all
    rule(r"[\uFE0F\u20E3\u200B\u2060\uFEFF\u00AD\u200E\u200F\u202A-\u202E\u2066-\u2069]", ""),
    rule(r"[:;]-?[)(DP](?!\w)|<3(?!\w)|\^_\^", ""),
    rule(r":[a-z][a-z0-9_+-]{1,30}:(?![\w/])", ""),
    rule(
        r"[\U0001F000-\U0001FAFF\U000E0020-\U000E007F\u2600-\u27BF\u2B00-\u2BFF\u2300-\u23FF]"
        r"(?:\u200D(?=\W))?",
        "",
    ),
    rule(r"\|", ", "),
    rule(r"[\[\]]", " "),
)

TIDYING: tuple[Rule, ...] = (
    rule(r"\s+", " "),
    rule(r"\(\s?\)", ""),
    rule(r"\( ", "("),
    rule(r" \)", ")"),
    rule(r" +(?=[,.;:!?])", ""),
    rule(r",(?:[ ,]*,)+", ","),
    rule(r"[,;:](?: ?[,;:])+", ","),
    rule(r",(?=[.!?])", ""),
    rule(r"^(?:[\s,.;:!?—–]|-(?![0-9]))+(?=[\w(\"'“‘¿¡-])", ""),
    rule(r"\s+", " "),
)
