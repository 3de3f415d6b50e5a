"""What `wording.py` must know of languages other than English: two lists of words each. Pure.

Short lists: a word that is missing costs what it did before, a reply held for a moment or a pause
taken for an ending; one that does not belong would cost an interruption or a second of waiting.
English, the language of the bundled ears, has rules of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from unicodedata import category, normalize

_INSIDE_WORDS = "'’-"


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language.

    Attributes:
        listening: words that only say "I am listening": what consists of them takes no floor.
        open: words that no turn ends with.
    """

    listening: frozenset[str]
    open: frozenset[str]


def _tongue(listening: str, open_: str = "") -> Tongue:
    return Tongue(frozenset(split_words(listening)), frozenset(split_words(open_)))


def split_words(text: str) -> list[str]:
    """The bare lower-case words of `text` in any script; one that has no spaces gives phrases."""
    told = normalize("NFC", text).lower()
    bare = "".join(c if category(c)[0] in "LMN" or c in _INSIDE_WORDS else " " for c in told)
    return [word for part in bare.split() if (word := part.strip(_INSIDE_WORDS))]


TONGUES: Final[Mapping[str, Tongue]] = {
    "arabic": _tongue(
        "نعم أجل أيوه آه طيب حسنا حسنًا تمام صحيح أوكي ماشي فهمت",
        "و أو لكن لأن أن إن في من إلى على عن مع",
    ),
    "french": _tongue(
        """oui ouais mhm mm hm hmm ok okay d'accord bien bon voilà exact exactement c'est ça
        compris ah oh entendu parfait super vraiment vois je""",
        """et ou mais parce que car si le la les un une des du de mon ma mes ton ta tes son sa
        ses notre votre leur leurs à au aux pour dans en sur par entre très euh""",
    ),
    "german": _tongue(
        """ja jaja ah aha ach so mhm hm hmm mm okay ok gut genau stimmt klar richtig verstehe ich
        schön super toll interessant natürlich na wirklich echt alles""",
        """und oder aber weil dass ob der den dem des eine einen einem einer mein meine meinen
        meinem unser unsere für von im am zum zur äh ähm""",
    ),
    "greek": _tongue(
        "ναι μάλιστα εντάξει οκ μμ αχά σωστά ωραία καλά βέβαια κατάλαβα α",
        "και ή αλλά γιατί ότι να αν ο η το οι τα του της των στο στη στην με για από σε",
    ),
    "hindi": _tongue(
        "हाँ हां जी अच्छा ठीक है हम्म ओके सही बिल्कुल",
        "और या लेकिन क्योंकि कि अगर का की के को में से पर",
    ),
    "italian": _tongue(
        """sì si mhm mm hm ok okay va bene certo esatto capisco capito giusto ah oh già perfetto
        vero davvero ecco d'accordo""",
        """e o ma che se quando il lo la i gli le un uno una di del della dei delle a al alla ai
        alle da dal dalla in nel nella con per su sul sulla tra fra ehm""",
    ),
    "japanese": _tongue(
        """はい はいはい ええ うん うんうん ああ そうですね そうですか そうなんですか なるほど
        へえ ふーん わかりました 分かりました 了解です オッケー"""
    ),
    "korean": _tongue(
        "네 네네 예 예예 응 음 아 그렇군요 맞아요 알겠습니다 알겠어요 좋아요 그래요 오케이"
    ),
    "malay": _tongue(
        "ya ok okay baik betul aha hmm mm mhm faham oh ah",
        "dan atau tetapi tapi kerana bahawa jika kalau di ke dari dengan untuk pada",
    ),
    "mandarin": _tongue(
        """嗯 嗯嗯 对 对对 对对对 好 好的 好好 是 是的 是吗 哦 噢 啊 明白 明白了 知道 知道了 没错
        行 可以 这样啊"""
    ),
    "polish": _tongue(
        """tak no mhm aha hm mm ok okej okay dobrze dobra jasne rozumiem racja właśnie ach oh ah
        świetnie super""",
        """i oraz lub albo ale bo że żeby jeśli jeżeli gdy który która które w we z ze na do od
        dla o po przy przez pod nad bez u""",
    ),
    "portuguese": _tongue(
        """sim é ahã aham uhum mhm mm ok okay tá certo claro entendi entendo pois exato bom bem
        legal ah oh isso perfeito verdade""",
        """e ou mas porque que se quando o a os as um uma uns umas de do da dos das em no na nos
        nas com para pra por sem sobre entre ao à""",
    ),
    "russian": _tongue(
        """да ага угу мм мгм хм ну ок окей хорошо понятно ясно понял поняла верно точно конечно
        так правда отлично ах ох о""",
        """и а но или потому чтобы если который которая которое в во на с со к ко у об от до из
        за по для без при про через над под""",
    ),
    "spanish": _tongue(
        """sí si ajá aja mm mmm mhm hmm ok okay vale claro ya bueno bien entiendo entendido
        perfecto exacto cierto verdad eso oh ah""",
        """y o pero porque que cuando el la los las un una unos unas mi mis tu tus su sus de del
        a al con para por en sin sobre desde hasta entre muy eh""",
    ),
    "thai": _tongue("ครับ ค่ะ คะ อืม ใช่ โอเค จ้ะ ใช่ครับ ใช่ค่ะ"),
    "turkish": _tongue(
        """evet hı hıhı hım tamam peki ok okay anladım anlıyorum doğru tabii tabi aynen güzel hmm
        mm öyle iyi""",
        "ve veya ama çünkü eğer bir",
    ),
}
"""Every language an agent may have (contract §2.2) but English."""

UNKNOWN: Final = Tongue(frozenset(), frozenset())
"""A language without lists."""
