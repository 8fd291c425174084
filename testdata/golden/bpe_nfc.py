#!/usr/bin/env python3
"""Writes clip/bpe/nfc.txt: what Unicode normalization needs to know, from Python's tables.

    python3.11 testdata/golden/bpe_nfc.py
"""
import os
import unicodedata

LICENCE = """
Derived from the Unicode Character Database, version VERSION, rearranged by
testdata/golden/bpe_nfc.py.

Copyright © 1991-2021 Unicode, Inc. All rights reserved. Distributed under the Terms of Use
in https://www.unicode.org/copyright.html.

Permission is hereby granted, free of charge, to any person obtaining a copy of the Unicode
data files and any associated documentation (the "Data Files") or Unicode software and any
associated documentation (the "Software") to deal in the Data Files or Software without
restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, and/or sell copies of the Data Files or Software, and to permit persons to whom
the Data Files or Software are furnished to do so, provided that either (a) this copyright
and permission notice appear with all copies of the Data Files or Software, or (b) this
copyright and permission notice appear in associated Documentation.

THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A
PARTICULAR PURPOSE AND NONINFRINGEMENT OF THIRD PARTY RIGHTS. IN NO EVENT SHALL THE
COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE BE LIABLE FOR ANY CLAIM, OR ANY SPECIAL
INDIRECT OR CONSEQUENTIAL DAMAGES, OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE,
DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA FILES OR SOFTWARE.

Except as contained in this notice, the name of a copyright holder shall not be used in
advertising or otherwise to promote the sale, use or other dealings in these Data Files or
Software without prior written authorization of the copyright holder.

Lines, with code points in hexadecimal:
  class N FIRST LAST  the canonical combining class of a range
  both C A B          C is made of A and B, and A and B compose to C
  apart C A B         C is made of A and B, but they do not compose
  same C A            C is A
"""


def classes():
    ranges = []
    for c in range(0x110000):
        n = unicodedata.combining(chr(c))
        if n and ranges and ranges[-1][0] == n and ranges[-1][2] == c - 1:
            ranges[-1][2] = c
        elif n:
            ranges.append([n, c, c])
    return ranges


def main():
    head = LICENCE.replace("VERSION", unicodedata.unidata_version).strip().split("\n")
    lines = [("# " + line) for line in head]
    lines += ["class %d %04X %04X" % tuple(r) for r in classes()]
    for c in range(0x110000):
        parts = unicodedata.decomposition(chr(c)).split()
        if not parts or parts[0].startswith("<"):  # none, or only a compatible one
            continue
        if len(parts) == 1:
            kind = "same"
        else:
            kind = "both" if unicodedata.normalize("NFC", chr(c)) == chr(c) else "apart"
        lines.append("%s %04X %s" % (kind, c, " ".join(parts)))
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "../../clip/bpe/nfc.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


main()
