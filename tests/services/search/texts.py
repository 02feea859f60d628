"""Generated texts in many scripts, from few words, so that texts share some of them."""

from hypothesis import strategies as st

WORDS = (
    "final", "Final", "mix", "MIX", "re", "ready", "café", "CAFÉ", "cafe\u0301", "Müller",
    "Mueller", "muller", "straße", "Łódź", "İstanbul", "S02E05", "PKG", "12345", "10",
    "000", "v2", "c", "готово", "ещё", "еще", "йод", "έτοιμοι", "ΕΤΟΙΜΟΙ", "الملف", "ملف",
    "الـملف", "שָׁלוֹם", "שלום", "फ़ाइल", "फाइल", "मिलते", "அனுப்பு",
)  # fmt: skip
# Whole characters of scripts without spaces: none may be cut in two.
CHARACTERS = (
    "字", "幕", "体", "體", "東", "京", "都", "第", "話", "か", "が", "ｶ", "ﾞｶﾞ"[1:], "カ", "ー",
    "々", "자", "막", "한", "한", "ก", "คำ", "นี้", "วัน", "ไ", "ກ", "ສົ່", "ស", "សូ", "ပို့", "မြ",
    "𠮷",
)  # fmt: skip
SIGNS = ("👍", "👍🏽", "👨‍👩‍👧", "🇯🇵", "🇰🇷", "❤️", "#", "++", "™")
GAPS = (" ", " ", " ", "  ", "\n", "", "", "-", ".", ",", "'", "’", "・", "·", "/", "_", ":",
        "\u200b", "\u00ad", "\u3000", "。")  # fmt: skip

pieces = st.sampled_from((*WORDS, *CHARACTERS, *CHARACTERS, *SIGNS))
texts = st.lists(st.tuples(pieces, st.sampled_from(GAPS)), max_size=12).map(
    lambda pairs: "".join(piece + gap for piece, gap in pairs)
)
runs = st.lists(st.sampled_from(CHARACTERS), min_size=1, max_size=8)
