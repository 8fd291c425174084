#!/usr/bin/env python3
"""Writes protocol.json: the published protocol of super-resolution on small pictures, for package vision and cmd/eval.

    python3 testdata/golden/protocol.py

Needs nothing but Python. Resizing follows the description in MATLAB's documentation of imresize, in exact fractions:
no rounding but to levels, so that halves are halves. SSIM is the sum over every window as Wang et al. write it.
"""
import base64
import json
import math
import os
import struct
import zlib
from fractions import Fraction as F


def sample(kind, x, y, c):
    """One sample of the pictures of resize.py."""
    if kind == "noise":
        return ((x * 73856093 ^ y * 19349663 ^ c * 83492791) >> 7) & 255
    if kind == "stripes":
        return 255 if (x * (c + 1) // 5 + y // 3) % 2 else 0
    if kind == "smooth":
        return (x * (c + 2) + y * (5 - c)) // 2 % 256
    if kind == "soft":  # so that an enlargement comes near it
        return 100 + abs((x * (3 + c) + 2 * y) % 120 - 60) + abs((2 * y * (4 - c) + x) % 90 - 45) + (sample("noise", x, y, c) >> 4)
    raise ValueError(kind)


def picture(kind, w, h):
    return [[[sample(kind, x, y, c) for c in range(3)] for x in range(w)] for y in range(h)]


def cubic(t):
    t = abs(t)
    if t <= 1:
        return F(3, 2) * t**3 - F(5, 2) * t**2 + 1
    if t <= 2:
        return -F(1, 2) * t**3 + F(5, 2) * t**2 - 4 * t + 2
    return F(0)


def level(v):
    return min(max(math.floor(v + F(1, 2)), 0), 255)


def resize_column(line, scale):
    """One column of samples, counted from 1 as MATLAB does."""
    n = len(line)
    width = 4 / min(scale, F(1))
    out = []
    for x in range(1, math.ceil(scale * n) + 1):
        u = x / scale + F(1, 2) * (1 - 1 / scale)
        left = math.floor(u - width / 2)
        places = range(left, left + math.ceil(width) + 2)
        weights = [cubic(min(scale, F(1)) * (u - i)) for i in places]
        both = list(range(n)) + list(range(n - 1, -1, -1))
        out.append(level(sum(w * line[both[(i - 1) % (2 * n)]] for w, i in zip(weights, places)) / sum(weights)))
    return out


def transpose(plane):
    return [list(row) for row in zip(*plane)]


def planes(p):
    return [[[px[c] for px in row] for row in p] for c in range(3)]


def imresize(p, scale):
    out = []
    for plane in planes(p):
        half = [resize_column(column, scale) for column in transpose(plane)]  # columns first
        out.append([resize_column(row, scale) for row in transpose(half)])
    return [[[out[c][y][x] for c in range(3)] for x in range(len(out[0][0]))] for y in range(len(out[0]))]


def luma(p):
    return [[level(16 + (F(65481) * r + F(128553) * g + F(24966) * b) / 255000) for r, g, b in row] for row in p]


def gray(p):
    weights = [0.298936021293775, 0.587043074451121, 0.114020904255103]
    return [[math.floor(sum(w * v for w, v in zip(weights, px)) + 0.5) for px in row] for row in p]


def cut(plane, border):
    return [row[border : len(row) - border] for row in plane[border : len(plane) - border]]


def psnr(all_a, all_b):
    d = [(x - y) ** 2 for a, b in zip(all_a, all_b) for r, s in zip(a, b) for x, y in zip(r, s)]
    return 10 * math.log10(255**2 * len(d) / sum(d))


def ssim(a, b):
    g = [[math.exp(-((i - 5) ** 2 + (j - 5) ** 2) / (2 * 1.5**2)) for i in range(11)] for j in range(11)]
    total = sum(map(sum, g))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for y in range(len(a) - 10):
        for x in range(len(a[0]) - 10):
            window = [(g[j][i] / total, a[y + j][x + i], b[y + j][x + i]) for j in range(11) for i in range(11)]
            ma, mb = sum(w * p for w, p, _ in window), sum(w * q for w, _, q in window)
            va, vb = sum(w * (p - ma) ** 2 for w, p, _ in window), sum(w * (q - mb) ** 2 for w, _, q in window)
            cov = sum(w * (p - ma) * (q - mb) for w, p, q in window)
            values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)))
    return sum(values) / len(values)


def b64(values):
    return base64.b64encode(bytes(values)).decode()


def pixels(p):
    return b64(v for row in p for px in row for v in px)


def png(p, grey):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(v for px in row for v in (px[:1] if grey else px)) for row in p)
    head = struct.pack(">IIBBBBB", len(p[0]), len(p), 8, 0 if grey else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def files():
    """Two files with their smaller partners, and their scores at twice the size; the second is grey."""
    for name, w, h, grey in [("colours", 38, 34, False), ("grey", 36, 30, True)]:
        hr = picture("soft", w, h)
        if grey:
            hr = [[[px[0]] * 3 for px in row] for row in hr]
        lr = imresize(hr, F(1, 2))
        sr = imresize(lr, F(2))
        plane = gray if grey else luma
        a, b = cut(plane(sr), 2), cut(plane(hr), 2)
        rgb = psnr([cut(p, 2) for p in planes(sr)], [cut(p, 2) for p in planes(hr)])
        yield dict(name=name, hr=b64(png(hr, grey)), lr=b64(png(lr, grey)), psnr=psnr([a], [b]), ssim=ssim(a, b), rgb_psnr=rgb)


def main():
    resized = []
    for kind, w, h, over, under in [
        ("noise", 24, 18, 1, 2), ("noise", 24, 18, 1, 3), ("noise", 24, 20, 1, 4),
        ("noise", 23, 17, 1, 2), ("noise", 25, 19, 1, 3), ("noise", 27, 22, 1, 4),  # sides that are no multiples
        ("stripes", 37, 29, 1, 2), ("stripes", 37, 29, 1, 3), ("stripes", 37, 29, 1, 4), ("smooth", 30, 20, 1, 2),
        ("noise", 13, 11, 2, 1), ("noise", 11, 9, 3, 1), ("noise", 9, 7, 4, 1),
        ("stripes", 13, 11, 2, 1), ("stripes", 11, 9, 3, 1), ("stripes", 9, 7, 4, 1),
        ("noise", 1, 1, 2, 1), ("noise", 1, 5, 4, 1), ("noise", 3, 2, 1, 4), ("noise", 1, 7, 1, 3),  # mirrored more than once
        ("noise", 6, 5, 1, 1), ("noise", 10, 9, 3, 2),
    ]:
        out = imresize(picture(kind, w, h), F(over, under))
        resized.append(dict(kind=kind, w=w, h=h, over=over, under=under, to_w=len(out[0]), to_h=len(out), pix=pixels(out)))
    scored = []
    for kind, w, h, s in [("soft", 48, 40, 2), ("soft", 45, 51, 3), ("soft", 56, 48, 4), ("noise", 40, 36, 2), ("stripes", 40, 36, 4)]:
        hr = picture(kind, w, h)
        sr = imresize(imresize(hr, F(1, s)), F(s))
        a, b = cut(luma(sr), s), cut(luma(hr), s)
        ga, gb = cut(gray(sr), s), cut(gray(hr), s)
        rgb = psnr([cut(p, s) for p in planes(sr)], [cut(p, s) for p in planes(hr)])
        scored.append(dict(kind=kind, w=w, h=h, scale=s, psnr=psnr([a], [b]), ssim=ssim(a, b), gray_psnr=psnr([ga], [gb]), gray_ssim=ssim(ga, gb), rgb_psnr=rgb))
    colours = [[[r, g, b]] for r in range(0, 256, 17) for g in range(0, 256, 15) for b in (0, 1, 100, 254, 255)]
    out = dict(resized=resized, scored=scored, files=list(files()), colours=pixels(colours), luma=b64(v for row in luma(colours) for v in row), gray=b64(v for row in gray(colours) for v in row))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "protocol.json"), "w") as f:
        f.write("{\n" + ",\n".join(f'"{key}": ' + ("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in value) + "\n]" if isinstance(value, list) else json.dumps(value)) for key, value in out.items()) + "\n}\n")


if __name__ == "__main__":
    main()
