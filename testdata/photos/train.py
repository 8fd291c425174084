#!/usr/bin/env python3
"""Makes the pictures that the shipped weights of "fast" were trained on.

    train.py DIR OUT

The photographs, their licences and the factors are the table of
docs/photographs.md. DIR holds the packages as make.py wants them, and for each
repository owner/name a clone of it, with its history, named owner+name. OUT gets
a PNG for each picture and LIST.tsv, which tells for each picture its photograph,
title, author, licence, origin and factor. A photograph is turned upright, shrunk
by its whole factor with a Lanczos filter and, where it is still larger than two
megapixels, cut into tiles; a tile with hardly a detail is left out. Needs git and
Pillow with WebP support.
"""

import io
import math
import pathlib
import subprocess
import sys

from PIL import Image, ImageChops, ImageOps, ImageStat

import make

LIMIT = 2_000_000  # pixels of a picture
FLAT = 42          # dB: what halving and doubling a picture without details leaves

TABLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "photographs.md"


def photographs():
    """Yields the rows of the table: slug, title, author, licence, origin, file, factor."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if len(cells) == 7 and cells[6].isdigit():
            yield cells


def load(root, origin, file):
    """Returns the photograph upright, as an RGB image."""
    words = origin.split()
    if words[0] == "Debian":
        return make.load(root, words[1], file)
    clone = root / words[0].replace("/", "+")
    show = ["git", "-C", str(clone), "show", words[1] + ":" + file]
    body = subprocess.run(show, stdout=subprocess.PIPE, check=True).stdout
    return ImageOps.exif_transpose(Image.open(io.BytesIO(body))).convert("RGB")


def tiles(picture):
    """Cuts the picture into equal tiles of at most LIMIT pixels."""
    down = across = 1
    while picture.width // across * (picture.height // down) > LIMIT:
        if picture.width * down >= picture.height * across:
            across += 1
        else:
            down += 1
    w, h = picture.width // across, picture.height // down
    for k in range(across * down):
        left, top = k % across * w, k // across * h
        yield picture.crop((left, top, left + w, top + h))


def flat(tile):
    """Tells whether the tile survives being halved and doubled, so that there is little to learn from it."""
    luma = tile.convert("L")
    small = luma.resize((tile.width // 2, tile.height // 2), Image.BICUBIC)
    rest = ImageStat.Stat(ImageChops.difference(luma, small.resize(luma.size, Image.BICUBIC)))
    return rest.sum2[0] == 0 or 10 * math.log10(255 * 255 * rest.count[0] / rest.sum2[0]) > FLAT


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    photos = pixels = 0
    rows = []
    for slug, title, author, licence, origin, file, factor in photographs():
        file = file.strip("`")
        photo = load(root, origin, file)
        k = int(factor)
        w, h = photo.width // k, photo.height // k
        small = photo.crop((0, 0, w * k, h * k)).resize((w, h), Image.LANCZOS) if k > 1 else photo
        photos += 1
        for i, tile in enumerate(tiles(small)):
            if flat(tile):
                continue
            name = f"{slug}_{i}.png"
            # Saved from the bare pixels, so no EXIF, XMP or colour profile goes along.
            Image.frombytes("RGB", tile.size, tile.tobytes()).save(out / name, "PNG")
            pixels += tile.width * tile.height
            rows.append("\t".join((name, file, title, author, licence, origin, factor)))
    (out / "LIST.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} pictures of {photos} photographs, {pixels / 1e6:.1f} megapixels")


if __name__ == "__main__":
    main()
