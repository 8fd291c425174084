#!/usr/bin/env python3
"""Lets Pillow decode and resize photographs, for comparison with package vision.

    python3 testdata/golden/resize_photos.py PHOTOS OUT
    PIXELGRAD_PILLOW=OUT go test -run TestAgainstPillow -v ./vision

PHOTOS is a folder of JPEG files; the first 20 by name are taken. OUT receives, for
each photograph NAME.jpg, a copy of it, what Pillow decodes (NAME.png), that made
smaller (NAME_72.png, NAME_144.png, NAME_288.png) and the smallest made larger again
(NAME_72_144.png, NAME_72_288.png). Nothing of it belongs into the project.
"""
import os
import shutil
import sys

from PIL import Image, features


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    photos, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    names = sorted(n for n in os.listdir(photos) if n.lower().endswith((".jpg", ".jpeg")))[:20]
    if not names:
        sys.exit(f"{photos}: expected JPEG files, found none")
    for name in names:
        stem = os.path.join(out, os.path.splitext(name)[0])
        shutil.copyfile(os.path.join(photos, name), stem + ".jpg")
        image = Image.open(stem + ".jpg").convert("RGB")
        image.save(stem + ".png")
        for n in (72, 144, 288):
            small = image.resize((n, n), Image.BICUBIC)
            small.save(f"{stem}_{n}.png")
            if n == 72:
                for m in (144, 288):
                    small.resize((m, m), Image.BICUBIC).save(f"{stem}_72_{m}.png")
    print(f"{len(names)} photographs, Pillow {Image.__version__}, libjpeg {features.version('jpg')}"
          f" (turbo: {features.check('libjpeg_turbo')})")


if __name__ == "__main__":
    main()
