"""Generate messages of a studio and its partners from a seed, in 15 languages.

The same seed and count give the same messages on every machine, and any range of them
can be generated alone: processes share the work, and a query can be drawn from one
message of a million. Words follow Zipf's law: the most frequent ones of each language
are real, the rest look like them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from itertools import accumulate, islice
from typing import Final

from clp_search.engine import Document

BLOCK: Final = 100
VOCABULARY: Final = 20_000
BEGUN: Final = datetime(2024, 1, 8, 7, tzinfo=UTC)
# A million messages are two years and a half of them.
EVERY: Final = timedelta(seconds=79)

# Of a hundred channels, how many use a language.
SHARES: Final = {
    "en": 33, "de": 8, "fr": 8, "es": 8, "ja": 8, "zh": 6, "ru": 5, "ko": 4,
    "pt": 4, "it": 4, "ar": 3, "pl": 3, "hi": 2, "th": 2, "tr": 2,
}  # fmt: skip
# Written without spaces between words.
UNSPACED: Final = frozenset({"ja", "zh", "th"})
FREQUENT: Final = {
    "en": "the to is and in of for we on it are please with final mix be reel file line"
    " episode scene new dialogue ready approved translation audio subtitles version",
    "de": "die der und ist wir in zu den das mit nicht für auf bitte Folge Datei neue"
    " Fassung Übersetzung Untertitel Mischung fertig prüfen Szene Stimme geändert müssen",
    "fr": "de la le et les est à en nous pour que des dans une fichier épisode doublage"
    " version scène réplique sous-titres validé vérifier nouvelle mélange voix prête",
    "es": "de la que el en y los se por las para con una está archivo episodio doblaje"
    " versión escena diálogo subtítulos aprobado mañana nueva mezcla voz revisión señal",
    "ja": "の に は を た が で と し て です ます ください 字幕 翻訳 第 話 確認 台本 音声 修正"
    " 吹き替え ファイル 納品 最終 ミックス 声優 収録 場面 お願いします",
    "zh": "的 是 在 了 和 我们 请 字幕 翻译 配音 版本 文件 确认 修改 场景 对白 最终 混音 集"
    " 声音 已经 需要 今天 明天 审核 交付",
    "ru": "и в не на что с это мы по для как к из файл серия перевод субтитры озвучка сцена"
    " готово пожалуйста проверьте новая версия реплика ещё звук всё",
    "ko": "이 그 및 를 에서 확인 부탁드립니다 자막 번역 더빙 파일 최종 믹스 수정 대본 음성"
    " 납품 장면 오늘 내일 완료 버전 녹음 성우",
    "pt": "de a o que e do da em para com não uma os no ficheiro episódio dobragem versão"
    " cena diálogo legendas aprovado amanhã nova mistura voz revisão já",
    "it": "di che e la il un per è in non sono con una del file episodio doppiaggio versione"
    " scena battuta sottotitoli approvato domani nuova missaggio voce perché",
    "ar": "في من على إلى هذا أن مع تم الملف الحلقة الترجمة الدبلجة النسخة المشهد الصوت"
    " النهائية يرجى مراجعة جديد جاهز غدا اليوم الحوار",
    "pl": "w i na z do nie się że jest to dla proszę plik odcinek tłumaczenie napisy wersja"
    " scena dialog gotowe sprawdzić nowa miks głos jutro zatwierdzone więc",
    "hi": "के में है की और को से का यह कृपया फ़ाइल कड़ी अनुवाद उपशीर्षक डबिंग संस्करण दृश्य"
    " संवाद तैयार अंतिम आवाज़ जाँच नया कल",
    "th": "ที่ และ ใน ของ ไป มา ได้ ให้ ไฟล์ ตอน คำบรรยาย พากย์ แปล ฉบับ ฉาก เสียง ตรวจสอบ"
    " พร้อม สุดท้าย ใหม่ กรุณา พรุ่งนี้",
    "tr": "ve bir bu için ile de da çok lütfen dosya bölüm çeviri altyazı dublaj sürüm sahne"
    " replik hazır kontrol yeni ses yarın son ışık değil İstanbul",
}  # fmt: skip
# A few thousand Han characters and Hangul syllables, frequent ones first.
SIGNS: Final = {"ja": (0x4E00, 2_000), "zh": (0x4E00, 3_500), "ko": (0xAC00, 2_350)}
GIVEN: Final = (
    "Ada Bo Chloé Dan Eva Finn Gül Hana Ivy Jun Kay León Müge Nat Óscar Paweł"
)
FAMILY: Final = (
    "Abel Berg Cole Díaz Eide Faure Grau Holt 田中 김 Lind Moreau Núñez Øster"
)
KINDS: Final = ("wav", "mov", "pdf", "csv", "png", "psd")
EMOJI: Final = ("👍", "🎬", "✅", "🙏🏽", "🔥", "❤️")


@dataclass(frozen=True, slots=True)
class Venue:
    """A channel, and its main language."""

    project: str
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """A query drawn from a message, for the channel of that message."""

    project: str
    channel: str
    text: str


class Conversations:
    """So many messages, oldest first."""

    def __init__(self, count: int, *, seed: int = 1) -> None:
        self.count = count
        self._seed = seed

    @cached_property
    def places(self) -> tuple[Venue, ...]:
        """Every project has a broadcast and a few to very many direct channels."""
        chance = random.Random(f"{self._seed} places")
        projects = max(12, self.count * 800 // 1_000_000)
        return tuple(
            Venue(project, channel, _language(chance))
            for project in (f"title{number:04}" for number in range(projects))
            for channel in _channels(project, round(chance.triangular(2, 40, 6)))
        )

    def documents(self, first: int = 0, end: int | None = None) -> Iterator[Document]:
        """Iterate the messages from one up to another, counted from zero."""
        last = self.count if end is None else min(end, self.count)
        for block in range(first // BLOCK, -(-last // BLOCK)):
            begin = block * BLOCK
            made = self._block(block)
            yield from islice(made, max(0, first - begin), last - begin)

    def questions(self, count: int, words: int, *, seed: int = 1) -> list[SampleQuery]:
        """Return queries of so many words, all of which occur in some message."""
        chance = random.Random(f"{self._seed} questions {seed} {words}")
        questions: list[SampleQuery] = []
        while len(questions) < count:
            number = chance.randrange(self.count)
            (document,) = self.documents(number, number + 1)
            pieces = list(dict.fromkeys(_pieces(document.text, chance)))
            if len(pieces) >= words:
                text = " ".join(chance.sample(pieces, words))
                questions.append(SampleQuery(document.project, document.channel, text))
        return questions

    def _block(self, block: int) -> Iterator[Document]:
        chance = random.Random(f"{self._seed} block {block}")
        begin = block * BLOCK
        places = chance.choices(self.places, cum_weights=self._weights, k=BLOCK)
        for number, place in enumerate(places, start=begin):
            author = _author(place, chance)
            yield Document(
                message=f"{chance.getrandbits(128):032x}",
                revision=0,
                project=place.project,
                channel=place.channel,
                number=number + 1,
                author=f"person{author}",
                author_name=_name(author),
                posted_at=BEGUN + EVERY * number,
                text=_text(place.language, chance),
                attachments=_files(chance) if chance.random() < 0.06 else (),
            )

    @cached_property
    def _weights(self) -> list[float]:
        """A broadcast is busier than a direct channel, and few channels are busy."""
        chance = random.Random(f"{self._seed} weights")
        return list(
            accumulate(
                chance.lognormvariate(0, 1.2)
                * (3 if "/broadcast" in place.channel else 1)
                for place in self.places
            )
        )


def _channels(project: str, partners: int) -> list[str]:
    direct = [f"{project}/direct/partner{number}" for number in range(partners)]
    return [f"{project}/broadcast", *direct]


def _language(chance: random.Random) -> str:
    return chance.choices(tuple(SHARES), tuple(SHARES.values()))[0]


def _author(place: Venue, chance: random.Random) -> int:
    """Few people write in one channel."""
    return (_number_of(place.channel) + chance.randrange(6)) % 3_000


def _number_of(text: str) -> int:
    """Return a number made of a text, the same in every process."""
    return int.from_bytes(text.encode(), "big") % 1_000_003


@cache
def _name(author: int) -> str:
    given, family = GIVEN.split(), FAMILY.split()
    return f"{given[author % len(given)]} {family[author // 16 % len(family)]}"


@cache
def _vocabulary(language: str) -> tuple[Sequence[str], Sequence[float]]:
    """Return the words of a language and their weights (Zipf), frequent ones first."""
    chance = random.Random(f"words {language}")
    frequent = FREQUENT[language].split()
    words = dict.fromkeys(frequent)
    while len(words) < VOCABULARY:
        words[_word(language, frequent, chance)] = None
    return tuple(words), list(
        accumulate(1 / (rank + 2.7) for rank in range(VOCABULARY))
    )


def _word(language: str, frequent: Sequence[str], chance: random.Random) -> str:
    if language in SIGNS:
        first, many = SIGNS[language]
        length = chance.choice((1, 2, 2, 2, 3, 3))
        return "".join(
            chr(first + int(many * chance.random() ** 2)) for _ in range(length)
        )
    pieces: list[str] = []
    for _ in range(chance.choice((2, 2, 3, 3, 4))):
        source = chance.choice(frequent)
        at = chance.randrange(len(source))
        pieces.append(source[at : at + 3])
    return "".join(pieces)


def _text(language: str, chance: random.Random) -> str:
    if chance.random() < 0.15:
        language = _language(chance)
    words, weights = _vocabulary(language)
    length = min(600, max(1, round(chance.lognormvariate(2.55, 0.75))))
    if chance.random() < 0.03:
        length = chance.randrange(60, 500)
    words_chosen = chance.choices(words, cum_weights=weights, k=length)
    for _ in range(2):
        if chance.random() < 0.22:
            words_chosen.insert(
                chance.randrange(len(words_chosen) + 1), f" {_extra(chance)} "
            )
    joined = ("" if language in UNSPACED else " ").join(words_chosen)
    return (joined.strip() + chance.choice((".", "", "!", "?", "。")))[:10_000]


def _extra(chance: random.Random) -> str:
    """Return what stands between words: numbers, links, handles, emoji."""
    number = chance.randrange(100_000)
    return chance.choice(
        (
            f"PKG-{number:05}",
            f"S{number % 9 + 1:02}E{number % 24 + 1:02}",
            f"https://review.example/title/{number}?take={number % 7}",
            f"person{number % 3_000}@studio.example",
            f"@{_name(number % 3_000)}",
            f"{number % 24:02}:{number % 60:02}:{number % 59:02}:{number % 25:02}",
            f"mix_v{number % 12}_{number}.wav",
            chance.choice(EMOJI),
        )
    )


def _files(chance: random.Random) -> tuple[str, ...]:
    return tuple(
        f"R{chance.randrange(9)}_scene{chance.randrange(400)}_v{chance.randrange(12)}"
        f".{chance.choice(KINDS)}"
        for _ in range(chance.choice((1, 1, 1, 2, 3)))
    )


def _pieces(text: str, chance: random.Random) -> Iterator[str]:
    """Iterate the words of a text; of a run without spaces, two or three characters."""
    for word in text.split():
        stripped = word.strip(".,!?。\"'*-:")
        if not stripped:
            continue
        if len(stripped) > 4 and ord(stripped[0]) > 0x0E00:
            at = chance.randrange(len(stripped) - 3)
            stripped = stripped[at : at + chance.choice((2, 3))]
        yield stripped
