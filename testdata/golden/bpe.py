#!/usr/bin/env python3
"""Writes bpe.json.gz: what OpenAI's tokenizer makes of some 2,200 texts, and what Python, regex
and ftfy make of every character, for the tests of package clip/bpe.

    python3.11 -m venv venv
    venv/bin/pip install --no-deps clip-anytorch==2.6.0 ftfy==6.3.1 wcwidth regex==2022.10.31
    venv/bin/python testdata/golden/bpe.py

clip-anytorch carries OpenAI's simple_tokenizer.py and clip.py unchanged in what matters here.
Of clip.py only the function tokenize is run, with a stand-in for the two calls of torch in
it, so that PyTorch need not be there. regex is of a version that knows Unicode 15.0, as Go's
package unicode does. Texts have no characters that Python's own tables leave unassigned.

Every text is encoded three times:
  ids    without ftfy
  fixed  with ftfy.fix_text(text, fix_encoding=False), if that differs
  ftfy   as the original does, if that differs from fixed: then ftfy took it for mojibake
"""
import ast
import gzip
import html
import html.entities
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import sys
import types
import typing
import unicodedata

import ftfy
import regex

random = random.Random(77)
HERE = os.path.dirname(os.path.abspath(__file__))


# The original, loaded by path: importing the package would want PyTorch.
def original():
    folder = importlib.util.find_spec("clip").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("simple_tokenizer", os.path.join(folder, "simple_tokenizer.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tokenizer = module.SimpleTokenizer()

    class Rows:
        """A matrix of integers: all that tokenize wants of a tensor."""

        def __init__(self, n, width):
            self.rows = [[0] * width for _ in range(n)]

        def __setitem__(self, at, values):
            self.rows[at[0]][at[1]] = values

    torch = types.SimpleNamespace(
        long=None, LongTensor=Rows, zeros=lambda n, width, dtype: Rows(n, width), tensor=lambda values: values
    )
    with open(os.path.join(folder, "clip.py"), encoding="utf-8") as f:
        tree = ast.parse(f.read())
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "tokenize"]
    names = {"torch": torch, "_tokenizer": tokenizer, "Union": typing.Union, "List": typing.List}
    exec(compile(tree, "clip.py", "exec"), names)
    return module, tokenizer, names["tokenize"]


MODULE, TOKENIZER, TOKENIZE = original()
FIXES = {
    "ids": lambda text: text,
    "fixed": lambda text: ftfy.fix_text(text, fix_encoding=False),
    "ftfy": ftfy.fix_text,
}


def with_fix(kind, function, *arguments):
    MODULE.ftfy = types.SimpleNamespace(fix_text=FIXES[kind])
    return function(*arguments)


def encode(kind, text):
    return with_fix(kind, TOKENIZER.encode, text)


# ---- what is known of single characters

EVERY = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def is_open(c):
    """Not assigned in Python's tables, but perhaps in younger ones. (Non-characters never are.)"""
    return unicodedata.category(c) == "Cn" and ord(c) & 0xFFFE != 0xFFFE and not 0xFDD0 <= ord(c) <= 0xFDEF


OPEN = {c for c in EVERY if is_open(c)}


def ranges(characters):
    out = []
    for c in map(ord, characters):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def per_character():
    sets = {"letter": r"[\p{L}]+", "number": r"[\p{N}]", "other": r"[^\s\p{L}\p{N}]+", "space": r"\s"}
    out = {}
    for name, pattern in sets.items():
        pattern = regex.compile(pattern, regex.IGNORECASE)
        out[name] = ranges(c for c in EVERY if pattern.match(c))
    out["open"] = ranges(c for c in EVERY if c in OPEN)
    out["strip"] = ranges(c for c in EVERY if c.isspace())
    # Cased and case-ignorable characters, as the final sigma shows them.
    out["sigma after"] = ranges(c for c in EVERY if (c + "Σ").lower().endswith("ς"))
    out["sigma after A and"] = ranges(c for c in EVERY if ("A" + c + "Σ").lower().endswith("ς"))
    out["no sigma before"] = ranges(c for c in EVERY if ("AΣ" + c).lower().startswith("aσ"))
    changed = {}
    for name, function in [
        ("lower", str.lower),
        ("nfc", lambda c: unicodedata.normalize("NFC", c)),
        ("fix", FIXES["fixed"]),
    ]:
        changed[name] = {c: function(c) for c in EVERY if function(c) != c}
    out["changed"] = changed
    return out


# ---- texts

PLAIN = """
a photo of a dog|a diagram|a cat|A photo of a cat.|two dogs running on the beach at sunset|An Aeroplane in the sky
a man riding a bicycle down a busy city street|It's a dog's life, isn't it?|I'm sure they've seen that we'd go, you'll see
WE'RE HERE, THEY'LL COME, I'D GO, SHE'S IN, CAN'T STOP, I'VE BEEN|O'Reilly's rock'n'roll '90s 'twas 'em y'all'd've
the year 2007, 500×375 pixels, 3.14159, 1e-5 and 50%|e-mail: someone@example.org, http://example.org/a?b=c&d=e#f
C++ and C# and F#, a+b=c; x<y>z, {a[b](c)}, $100 £20 €30|"quoted" 'single' `back` *star* _under_ ~tilde~ ^caret^ \\back\\ /slash/
don't|DON'T|'s|'S 'T 'RE 'VE 'M 'LL 'D|s' t' re' ve'|''s|'''ll|!'s|a!'s|'sa|'ree 'vex 'mm 'lll 'dd|1's 2'd 3'll|it' s|' s
hello|Hello|HELLO|hELLo wORLd|antidisestablishmentarianism|supercalifragilisticexpialidocious|pneumonoultramicroscopicsilicovolcanoconiosis
a|b|z|!|.|?|0|9|00|007|1234567890|1,000,000.00|a1b2c3|abc123def456|1st 2nd 3rd 4th|x2 y3|...|.....|!?!?|---|=====|<>|<|>|&|&&|# # #
""".strip().replace("\n", "|").split("|")

CURLY = [
    "the dog’s bowl", "THE DOG’S BOWL", "they’re “here”, aren’t they?", "‘single’ and “double”", "don`t", "donʼt stop", "‚low‘ „quotes“ «guillemets» ‹single›",
    "5′ 11″ tall", "rock ’n’ roll", "‛reversed‛ ‟double‟", "it’S", "I’ve I’M I’LL I’D", "’s", "“’s”", "'ſ", "it'ſ", "IT'ſ", "dog'ſs", "a 'ſ b ſ' c",
]

SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>", "a <|endoftext|> b", "a<|startoftext|>b<|endoftext|>c", "<|startoftext|><|endoftext|>",
    "!<|startoftext|>", "<<|endoftext|>>", "<|endoftext|", "|endoftext|>", "<|endof text|>", "<| endoftext |>", "&lt;|endoftext|&gt;", "<|ſtartoftext|>", "<|ſTARTOFTEXT|>",
    "<|start<|endoftext|>oftext|>", "<|endoftext|>!", "<|endoftext|>'s", "'<|endoftext|>", "1<|startoftext|>2", "<|startoftext|>\n<|startoftext|>", "＜｜ｅｎｄｏｆｔｅｘｔ｜＞",
    "</w>", "a</w>b", "word</w>", "< / w >", "&lt;/w&gt;", "x</w>", "</w></w>",
]

CASES = [
    "İ", "İSTANBUL", "İi̇Iıİ", "ISPARTA ıI iİ", "ß", "ẞ", "STRASSE STRAẞE straße", "ǅ", "Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ", "ŉ", "ǰ ΐ ΰ ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ", "ﬂuﬃeﬆ oﬃce ﬁnd",
    "Σ", "ΣΣ", "ΟΔΟΣ", "ΟΔΥΣΣΕΥΣ", "ΑΣ", "ΣΑ", "ΑΣΑ", "ΑΣ ΑΣ", "ΑΣ.", "ΑΣ'", "ΑΣ'Α", "ΑΣ’Α", "ΑΣ.Α", "ΑΣ:Α", "ΑΣ·Α", "ΑΣ,Α", "Α'Σ", "'Σ", "Α.Σ", "Α.Σ.", "1Σ", "Α1Σ", "ΑΣ1", "ΑΣ1Α",
    "Α\u0301Σ", "ΑΣ\u0301", "ΑΣ\u0301Α", "Α\u00adΣ", "ΑΣ\u00adΑ", "Α\u200dΣ", "ΑΣ\u200b", "𝚺", "aΣ", "AΣb", "aΣ\u0345", "\u0345Σ", "ⅣΣ", "ⓐΣ", "Σⓐ", "ªΣ", "ʰΣ", "AʰΣ", "ΑΣʰ", "ǅΣ", "中Σ", "Σ中", "ΜΈΓΑΣ ΑΛΈΞΑΝΔΡΟΣ",
    "K Å Ω", "ϴ ẛ ſ", "Ⅷ ⅷ ↀ", "Ⓐⓐ Ⓩ", "ΆΈΉΊΌΎΏΪΫ", "ᾼ ᾳ ῌ ῼ ᾈ ᾀ", "Ꭰ ꭰ Ᏸ ᏸ", "Ა ა Ⴀ ⴀ", "𐐀𐐨 𞤀𞤢", "ÀÉÎÕÜ Ñ Ç Ø Æ Œ Ð Þ", "ŻÓŁĆ GĘŚLĄ JAŹŃ", "ЁЖИК ЙОД Ўў ІЇЄҐ", "ΑΝΘΡΩΠΟΣ ΚΑΙ ΣΚΥΛΟΣ",
    "\u0345", "a\u0345b", "α\u0345", "!\u0345!", "\u0345\u0345", "1\u03452", "a \u0345 b", "'\u0345s",
]

EMOJI = [
    "🐶", "a 🐶 and a 🐱", "🐶🐱🐭", "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "🇩🇪🇫🇷🇯🇵", "❤️", "❤", "❤︎", "☺️ ☺", "1️⃣2️⃣3️⃣", "#️⃣*️⃣", "👍🏻👍🏼👍🏽👍🏾👍🏿", "😀😃😄😁😆😅🤣😂", "love💕you", "🔥🔥🔥100%🔥", "🧑‍⚕️🧑🏿‍⚕️",
    "🫠🫡🫶", "⌚⏰⛔️✅❌➡️⬅️", "🀄🃏🎴", "👁️‍🗨️", "🐕‍🦺🦮", "🤷🏽‍♀️ idk", "♥♡★☆♪♫", "☃️⛄️🌨️", "\U0001F3F4\u200d\u2620\ufe0f", "\u200d\ufe0f", "a\ufe0fb", "a\u200db", "a\u200cb", "\U000E0001\U000E0061",
]

SPACES = [
    "", " ", "   ", "\n", "\t\r\n", "\u00a0", "\u3000", " \u2028\u2029 ", "\x1c", "\x1c\x1d\x1e\x1f", " a ", "\ta\t", "a\tb", "a\nb", "a\r\nb", "a  b   c", "a\u00a0b", "a\u3000b", "a\u2003\u2009b", "a\u200bb", "a\u2060b", "a\ufeffb", "\ufeffa",
    "a\x0bb", "a\x0cb", "a\x85b", "\x85a\x85", "a\x1cb", "\x1ca\x1c", "a \x1c b", "\x1c a \x1c", "a\x1c", "a\x1d\x1eb", "a\x1f \x1f", "a\u1680b", "a\u180eb", "a\u202fb", "a\u205fb", "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200aa", "a\u2028b\u2029c",
    "\x00", "a\x00b", "\x01\x02\x03", "a\x07b", "a\x08b", "a\x1bb", "a\x7fb", "a\x80b", "\x80\x81\x82\x83\x84\x85\x86\x87", "\x91quoted\x92 \x93double\x94", "a\x9fb", "\x1b[31mred\x1b[0m text", "\x1b[1;38;5;200mx\x1b[m", "\x1b[31", "\x1b[", "\x1b[;;;K", "\x1b[31 m", "\x1b]0;title\x07", "\x1b［3１ｍa",
    "\x1b[١m", "a\u00adb", "a\u200eb\u200f", "\u202aembedded\u202c", "\u2066iso\u2069", "\u206a\u206b\u206c\u206d\u206e\u206f", "x\ufff9a\ufffab\ufffbc\ufffcd\ufffde", "\U000e0020\U000e007f", "\ue000\uf8ff", "\U000f0000\U0010fffd", "\ufdd0\ufffe\uffff", "\U0001fffe\U0010ffff", "\ufffd", "a\ufffdb", "line one\nline two\r\nline three\rline four",
]

FORMS = [
    "ＬＯＵＤ　ＮＯＩＳＥＳ", "ｆｕｌｌｗｉｄｔｈ １２３ ！？", "Ｕﾀｰﾝ", "ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟ", "ﾞ ﾟ", "ﾡﾢﾣ ￂￃￄ", "ￇ ￒ ￜ ﾾ ﾠ", "￠￡￢￣￤￥￦", "￨￩￪￫￬￭￮", "｟｠｡｢｣､･", "“＇＂”", "It＇s", "ﾠ", "￣￣", "a￣b", "①②③ ㈱ ㍿ ㎏ ½ ² ₂ ™ ℃ №", "ℌℍ 𝒜𝓑 𝔸 𝟘𝟙", "ｆｉ ﬁ", "ĳsselmeer Ĳ", "＆amp；", "＆lt;", "&ｌｔ;", "&amp；",
    "ﬓ ﭏ", "dʼAfrique", "ŉ ŉ", "Ŀ ŀ", "ǆǅ",
]

COMPOSED = [
    "cafe\u0301", "café", "re\u0301sume\u0301", "a\u0308o\u0308u\u0308", "n\u0303 c\u0327 A\u030a", "\u0301", " \u0301", "e\u0301\u0301", "e\u0327\u0301", "e\u0301\u0327", "q\u0307\u0323", "q\u0323\u0307", "a\u0328\u0301\u0323", "ệ", "e\u0323\u0302", "e\u0302\u0323", "\u1100\u1161\u11a8", "\u1100\u1161", "\u1100\u11a8", "가\u11a8", "각\u11a8", "가\u11a7",
    "\u1100\u1161\u1161", "한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "か\u3099 は\u309a", "\u212b \u2126 \u212a", "\u0958 \u095c क\u093c", "\u09c7\u09be \u09c7\u0981\u09be", "\ufb1d \ufb2a \ufb4b", "שׁלום שָׁלוֹם", "\u0344 \u0374 \u037e \u0387 \u1fef", "豈 更 \uf900 \ufa0e \U0002f800", "\u0f43 \u0f73 \u0f76", "\u2adc \u0340 \u0341 \u0343", "α\u0313\u0301\u0345", "ᾂ", "\U0001d15e \U0001d1bb", "\U00011131\U00011127 \U0001109b",
    "z\u0335\u0321\u034d\u035c\u0301\u0360\u0489a\u0336\u0322\u031bl\u0334g\u0337\u0301\u0315o\u0338", "T\u0308\u0323", "\u0061\u05ae\u0300\u0315\u0062", "\u0b47\u0300\u0b3e", "\u1ea1\u0302", "s\u0323\u0307 s\u0307\u0323", "d\u0307\u0323\u031b", "\u0041\u030a\u0301 \u00c5\u0301 \u212b\u0301",
]

MOJIBAKE = [
    "cafÃ©", "CAFÃ‰", "â€œquotesâ€\x9d", "donâ€™t", "schÃ¶n", "voilÃ\xa0", "voilÃ la", "âœ” No problems", "l’humanitÃ©", "naÃ¯ve faÃ§ade", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "æ—¥æœ¬èªž", "ðŸ˜€", "Â£5 Â©", "rÃ©sumÃ© &amp; cafÃ©", "ÃƒÂ©", "sÃ³", "âˆšÂ©", "à¸ªà¸§à¸±à¸ªà¸”à¸µ", "¯\\_(ã\x83\x84)_/¯", "caf\ufffd\ufffd", "Ã", "Â", "©Ã", "São Paulo", "ÉCOLE", "Ã la mode", "Å", "Ångström", "É",
]

LANGUAGES = """
Der Hund läuft über die große Wiese.|Ein Öltanker im Ärmelkanal, schön groß|Le chien mange à côté de l'école, où l’élève l'attend.|¿Dónde está el perro? ¡Aquí, señor!
O cão está no coração de São João|Il cane è più veloce perché c'è|Pies goni żółtą łódź|Pes běží přes řeku|Kutya fut a hídon, őrült tűz|Köpek İstanbul'da koşuyor, ığdır|Câinele aleargă în pădure|Hunden løper på øya, æ ø å
Собака бежит по пляжу|СОБАКА И КОШКА|Куче тича|Пас трчи, љубав и њива|Собака біжить, їжак і ґанок|Ο σκύλος τρέχει στην παραλία|Ο ΣΚΥΛΟΣ ΤΟΥ ΝΙΚΟΥ|Շունը վազում է|ძაღლი გარბის|הכלב רץ על החוף|הַכֶּלֶב|الكلب يجري على الشاطئ|اَلْكَلْبُ|سگ در ساحل می‌دود|کتا دوڑتا ہے
कुत्ता समुद्र तट पर दौड़ रहा है|কুকুর দৌড়াচ্ছে|ਕੁੱਤਾ ਦੌੜਦਾ ਹੈ|કૂતરો દોડે છે|କୁକୁର|நாய் ஓடுகிறது|కుక్క పరుగెత్తుతోంది|ನಾಯಿ ಓಡುತ್ತಿದೆ|നായ ഓടുന്നു|බල්ලා දුවනවා|สุนัขวิ่งบนชายหาด|ໝາແລ່ນ|ခွေးပြေးနေသည်|ឆ្កែរត់|ཁྱི་རྒྱུག|ውሻ ይሮጣል|ᏗᎳᏗ|ᠨᠣᠬᠠᠢ
一只狗在海滩上奔跑|一隻狗在海灘上奔跑。|犬が浜辺を走っている|イヌがハマベをハシる|いぬ、ネコ、とり。|개가 해변을 달리고 있다|Con chó chạy trên bãi biển|Chú chó đang ngủ|Aja ń sáré lórí etíkun|Karnuka yana gudu, ƙasa ɗaya|ʻīlio holo, aʻole|Ŋgola ɛ ɔ ɖ|ꦱꦸꦤꦃ|ᓭᕐᒥᓕᒃ|ⵜⴰⴳⵓⵔⵉ|ꯍꯨꯏ|߁߂߃ ߞߊ|ޙަޔަވާން
""".strip().replace("\n", "|").split("|")

HTML = [
    "&amp;", "&amp;amp;", "&amp;amp;amp;", "&amp;amp;amp;amp;lt;", "&lt;b&gt;bold&lt;/b&gt;", "&amp;lt;b&amp;gt;", "<b>&amp;</b>", "a<b &eacute;", "x < y &amp;&amp; y > z", "fish &amp; chips", "fish & chips", "R&D", "AT&T", "Q&A&amp;B", "&eacute;", "&eacute", "&Eacute;", "&EACUTE;", "P&EACUTE;REZ", "BUNDESSTRA&SZLIG;E", "&SZLIG;", "&ntilde; &Ntilde; &NTILDE; &nTILDE;", "&copy 2007", "&COPY;", "&copy;2007", "&copyx", "&notit;", "&notin;", "&notin",
    "&not;in", "&notinx;", "this&not that", "&nbsp;", "a&nbsp;b", "&nbsp", "&hellip;", "&mdash;&ndash;", "&lsquo;it&rsquo;s&rdquo;", "&amp;rsquo;", "<p>it&rsquo;s</p>", "it&amp;rsquo;s <b>", "&quot;quoted&quot;", "&apos;s", "it&apos;s", "it&#39;s", "it&#x27;s", "it&#039;s", "it&#8217;s", "&#8220;x&#8221;", "&#x2019;s", "&NotEqualTilde;", "&nGt;", "&nLt;", "&nGt", "&nLt", "&NGT;", "&bne;", "&fjlig;", "&ThickSpace;", "&CounterClockwiseContourIntegral;", "&CounterClockwiseContourIntegral",
    "&DoubleLongLeftRightArrow;", "&semi;", "&SEMI;", "&num;1", "&amp;#65;", "&amp;semi;", "&NAPOS;", "&napos;", "&FFILIG; &ffilig; &FJLIG;", "&sup3; &SUP3; &FRAC12; &frac12", "&sigmav; &SIGMAV; &sigmaf;", "&Tab;x&NewLine;y", "&ZeroWidthSpace;", "&shy;", "&zwj;&zwnj;", "&ampamp;", "&amp amp;", "&AMP;", "&Amp;", "&lt", "&LT", "&gt;&GT;", "&ltx", "&l", "&", "& ", "&;", "&&amp;&", "&a;", "&abc;", "&é;", "&amp=", "?a=1&copy=2&reg=3&lt=4", "&" + "a" * 31 + ";", "&" + "a" * 32 + ";", "&" + "a" * 40 + ";", "&lt" + "a" * 40 + ";", "&amp" * 20,
    "&#65;", "&#65", "&#065;", "&#0000000065;", "&#x41;", "&#X41;", "&#x41", "&#x4g;", "&#65a;", "&#65&#66;&#67", "&#9", "&#9;", "a&#9b", "&#5x", "&#5", "&#", "&#;", "&#x", "&#x;", "&#X;", "&#xg;", "&#-1;", "&# 65;", "&#0;", "&#00;", "&#x0;", "&#1;", "a&#1;b", "&#8;", "&#11;", "a&#11;b", "&#12;", "&#13;", "a&#13;b", "a&#10;b", "&#14;", "&#31;", "&#32;", "&#127;", "&#128;", "&#129;", "&#x80;&#x82;&#x91;&#x92;&#x9f;", "&#x81;&#x8d;&#x8f;&#x90;&#x9d;", "it&#146;s", "&#160;", "&#173;", "&#55296;", "&#xD800;", "&#xDBFF;&#xDFFF;",
    "&#xD83D;&#xDE00;", "&#55357;&#56832;", "&#128512;", "&#x1F600;", "&#x1f600", "&#xFDD0;", "&#xFDEF;", "a&#xFFFE;b", "&#xFFFF;", "&#x1FFFE;", "&#x10FFFF;", "&#x10FFFD;", "&#x110000;", "&#1114111;", "&#1114112;", "&#2147483648;", "&#4294967296;", "&#4294967361;", "&#x100000041;", "&#18446744073709551681;", "&#" + "9" * 100 + ";", "&#x" + "F" * 100 + ";", "&#" + "0" * 100 + "65;", "&#x" + "0" * 4000 + "41;", "&#١;", "&#65；", "&#59;", "&amp;#59;", "&am&#112;;", "&#38;amp;", "&#38;#38;", "&#x26;lt;", "&#x26;#x26;#x26;", "&am\x00p;", "&l\x1b[0mt;", "&lt\n;", "&\namp;",
    "&eacute;\n<b>\n&eacute;", "<b>\n&amp;eacute;", "&amp;eacute;\n&amp;amp;eacute;\n<", "&EACUTE;\n<\n&EACUTE;", "&Ccedil;a va", "&yuml; &Yuml; &YUML;", "&aacute&eacute&iacute", "&aacuteb", "&Aacute;&AACUTE;&AACUTE", "&frac34;", "&frac34x", "&yenx", "&para;&parax;&paragraph;", "&sect;&sectx", "&times;&timesx;&timesbar;", "&centerdot;&centx;", "&divide;&dividex", "&micro;&MICRO;", "&thetasym;&upsih;&piv;", "&lang;&rang;", "&hearts;&spades;&clubs;", "&checkmark; &Jscr;ohn", "&HilbertSpace;ancock", "&Ograve;&ograve;", "&AElig;&aelig;&AELIG;",
]


def ok(text):
    """Has nothing unassigned in it, not even after its references are resolved."""
    try:
        text += html.unescape(text)
        text += html.unescape(html.unescape(text))
    except ValueError:
        return False
    return not any(c in OPEN for c in text)


def by_kind():
    """Characters by the first word of their names: scripts, more or less; and by category."""
    groups = {}
    for c in EVERY:
        name = unicodedata.name(c, "")
        if not name or name.startswith(("CJK COMPAT", "VARIATION")):
            continue
        category = unicodedata.category(c)[0]
        groups.setdefault((name.split()[0] if category in "LM" else "", category), []).append(c)
        if category == "N":
            groups.setdefault(("number " + name.split()[0], "N"), []).append(c)
    return groups


def some(pool, low, high):
    return "".join(random.choice(pool) for _ in range(random.randint(low, high)))


def scripts():
    groups = by_kind()
    marks = groups.get(("COMBINING", "M"))
    for (name, category), pool in sorted(groups.items()):
        if len(pool) < 4:
            continue
        yield some(pool, 3, 10)
        if category == "L":
            yield some(pool, 1, 6) + " " + some(pool, 1, 6).upper() + some(".,1'’!-", 1, 2) + some(pool, 1, 4).title()
        if category == "M":
            yield "e" + some(pool, 1, 3) + " " + some(marks, 1, 4)
    letters = [c for c in EVERY if c.isalpha()]
    for _ in range(120):
        yield some(letters, 1, 12)


def composing():
    """Letters with marks in any order, and Hangul in pieces: work for normalization."""
    marks = [c for c in EVERY if unicodedata.combining(c)]
    usual = [chr(c) for c in range(0x300, 0x34F)]
    bases = [c for c in EVERY if unicodedata.decomposition(c) and not unicodedata.decomposition(c).startswith("<")]
    for _ in range(100):
        text = ""
        for _ in range(random.randint(1, 5)):
            base = unicodedata.normalize(random.choice(["NFC", "NFD"]), random.choice(bases + list("aeioucnsz") * 60))
            text += base + some(usual + marks[::9], 0, 4)
        yield text
    for _ in range(30):
        jamo = [chr(random.randint(*r)) for r in random.choices([(0x1100, 0x1115), (0x1160, 0x1178), (0x11A6, 0x11C4), (0xAC00, 0xD7A3)], k=12)]
        yield "".join(jamo)


def references():
    """All names, and broken and random references."""
    names = sorted(html.entities.html5)
    for i in range(0, len(names), 40):
        yield " ".join("&" + n for n in names[i : i + 40])
    for _ in range(120):
        text = ""
        for _ in range(random.randint(1, 4)):
            name = random.choice(names)
            kind = random.randrange(10)
            if kind == 0:
                name = name[: random.randint(1, len(name))]
            elif kind == 1:
                name = name.rstrip(";") + random.choice(["x", "=", "1;", ".", "é", "&", "#", ";;"])
            elif kind == 2:
                name = name.upper()
            elif kind == 3:
                name = name.swapcase()
            elif kind == 4:
                name = "#%d%s" % (random.randrange(0x3000), random.choice([";", "", "x"]))
            elif kind == 5:
                name = "#%s%x%s" % (random.choice("xX"), random.randrange(random.choice([256, 65536, 0x120000])), random.choice([";", "", ";;"]))
            elif kind == 6:
                name = "amp;" * random.randint(1, 4) + name
            text += random.choice(["", "a", " ", "<" if random.random() < 0.1 else ""]) + "&" + name
        yield text


def captions():
    who = "a dog|two cats|the old man|an aeroplane|a group of people|a red bus|three sheep|a TV monitor|my bicycle|a potted plant|some birds|a horse and its rider|a black-and-white cow|children".split("|")
    what = "sitting on|running across|in front of|parked next to|flying over|reflected in|that's behind|painted on|isn't near|looking at".split("|")
    where = "a wooden table|the beach|a 19th-century house|the street at night|a field of flowers|the water|an airport's runway|a train (No. 42)|snow|the city's skyline".split("|")
    how = ["{} {} {}", "A photo of {} {} {}.", "{} {} {}, high quality", "a bad photo of {} {} {}", "{} {} {}; 35mm, f/1.8", "\"{} {} {}\"", "a close-up photo of {} {} {}!", "{} {} {} — at dusk"]
    for _ in range(150):
        yield random.choice(how).format(random.choice(who), random.choice(what), random.choice(where))


def mixtures(fragments):
    """Pieces of everything above, next to each other."""
    for _ in range(330):
        text = ""
        for _ in range(random.randint(2, 6)):
            f = random.choice(fragments)
            if len(f) > 12:
                at = random.randrange(len(f) - 8)
                f = f[at : at + random.randint(1, 8)]
            text += f + random.choice(["", "", " ", "\n", "'", "Σ"])
        yield text


def long_ones():
    yield "a" * 10000
    yield some("abcdefghijklmnopqrstuvwxyz", 10000, 10000)
    yield "antidisestablishmentarianism" * 40
    yield "ha" * 300
    yield "o" * 200 + "h" * 200
    yield "!" * 500
    yield "!?" * 100 + "." * 64
    yield "狗" * 300
    yield "🐶" * 200
    yield "word " * 200
    yield "1" * 150
    yield "'" * 100 + "s" * 100
    yield "é" * 100 + "e\u0301" * 100
    yield "Σ" * 100 + "\u0301" * 50 + "Σ"
    yield "а" * 65
    for n in range(26, 40):  # around the length from which Go takes another way
        yield some("etaoinshrdlu", n, n)
        yield some("aab", n, n)
        yield some([c for c in map(chr, range(0x3B1, 0x3C9))], n // 2, n // 2)  # two bytes each
    yield "the the" + "in" * 77
    yield some([c for c in EVERY if c.isalpha() and ord(c) < 0x3000], 400, 400)


def texts():
    written = PLAIN + CURLY + SPECIAL + CASES + EMOJI + SPACES + FORMS + COMPOSED + MOJIBAKE + LANGUAGES + HTML
    out = list(written)
    for source in [scripts(), composing(), references(), captions(), mixtures([w for w in written if 0 < len(w) < 200]), long_ones()]:
        out += list(source)
    seen = set()
    for text in out:
        if text not in seen and ok(text):
            seen.add(text)
            yield text


def main():
    cases = []
    for text in texts():
        case = {"text": text, "ids": encode("ids", text)}
        fixed, full = encode("fixed", text), encode("ftfy", text)
        if fixed != case["ids"]:
            case["fixed"] = fixed
        if full != fixed:
            case["ftfy"] = full
        case["decoded"] = TOKENIZER.decode(fixed)
        cases.append(case)

    rows = []
    for text in PLAIN[:6] + ["", " ", "word " * 76, "word " * 75, "word " * 74, "!" * 400, "a" * 10000, "x <|endoftext|> y " * 40]:
        for length, truncate in [(77, False), (77, True), (8, True), (8, False), (2, True), (1, True), (1, False), (100, False)]:
            row = {"text": text, "length": length, "truncate": truncate}
            try:
                row["row"] = with_fix("ftfy", TOKENIZE, text, length, truncate).rows[0]
            except RuntimeError:
                row["tokens"] = len(encode("ftfy", text)) + 2
            rows.append(row)

    decoded = [{"ids": ids, "text": TOKENIZER.decode(ids)} for ids in [[], [0], [0, 0, 0], [49406, 320, 49407, 0], [49406], [49407, 49407], [27, 14, 86, 285], [27, 14, 86, 29], [27, 14, 342, 285]]]
    high = [TOKENIZER.encoder[TOKENIZER.byte_encoder[b]] for b in range(0x80, 0x100)]
    for _ in range(250):
        pool = random.choice([range(49408), range(512), high, high + [320]])
        ids = [random.choice(pool) for _ in range(random.randint(1, 9))]
        decoded.append({"ids": ids, "text": TOKENIZER.decode(ids)})

    made_with = {name: importlib.metadata.version(name) for name in ["clip-anytorch", "ftfy", "regex"]}
    made_with["python"] = platform.python_version()
    made_with["unicode of python"] = unicodedata.unidata_version
    golden = {
        "made with": made_with,
        "entities": html.entities.html5,
        "characters": per_character(),
        "texts": cases,
        "rows": rows,
        "decoded": decoded,
    }
    data = json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode()
    with open(os.path.join(HERE, "bpe.json.gz"), "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0))
    counts = {k: sum(k in c for c in cases) for k in FIXES}
    print(len(cases), counts, len(rows), len(decoded), len(data), made_with, file=sys.stderr)


main()
