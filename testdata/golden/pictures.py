#!/usr/bin/env python3
"""Writes pictures.json: small picture files of many kinds and the pixels that Pillow reads
from them, for the tests of package vision.

    python3 testdata/golden/pictures.py

Needs Pillow, and cjpeg (libjpeg-turbo-progs) and tiffcp (libtiff-tools) for kinds that
Pillow does not write. Files and pixels are base64; pixels are rows of red, green, blue,
turned as EXIF says, and transparent ones over white. A case without pixels is one that
vision refuses.
"""
import base64
import io
import json
import os
import subprocess
import tempfile

from PIL import Image, ImageFile, ImageOps, features

from resize import picture

ORIENTATION = 274
ImageFile.LOAD_TRUNCATED_IMAGES = True  # for a JPEG without its end marker


def b64(data):
    return base64.b64encode(data).decode()


def saved(image, kind, **options):
    f = io.BytesIO()
    image.save(f, kind, **options)
    return f.getvalue()


def run(*command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def without(data, marker):
    """A JPEG without the segment of that marker."""
    at = data.index(marker)
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def jpegs():
    def cjpeg(*options, grey=False):
        # A unit and five pixels more in each direction.
        factors = options[options.index("-sample") + 1] if "-sample" in options else "2x2"
        w = 8 * max(int(f[0]) for f in factors.split(",")) + 5
        h = 8 * max(int(f[2]) for f in factors.split(",")) + 5
        image = picture("smooth", w, h)
        return run("cjpeg", "-quality", "85", *options, data=saved(image.convert("L") if grey else image, "PPM"))

    for name, factors in [
        ("Cb 1×1, Cr 1×2", "2x2,1x1,1x2"),
        ("Cb 2×1, Cr 1×2", "2x2,2x1,1x2"),
        ("Cb 1×1, Cr 2×2", "2x2,1x1,2x2"),
        ("both 2×1 of 2×2", "2x2,2x1,2x1"),
        ("both 1×2 of 2×2", "2x2,1x2,1x2"),
        ("three across", "3x1,1x1,1x1"),
        ("three down", "1x3,1x1,1x1"),
        ("three across, Cb whole", "3x1,3x1,1x1"),
        ("three across, two down", "3x2,1x1,1x1"),
        ("four down", "1x4,1x1,1x1"),
        ("two across, four down", "2x4,1x1,1x1"),
        ("four across", "4x1,1x1,1x1"),
        ("colours finer than the brightness", "1x1,2x2,2x2"),
        ("colours finer across", "1x1,2x1,2x1"),
        ("Cb finer", "1x1,2x1,1x1"),
        ("brightness half down", "2x1,2x2,2x2"),
    ]:
        yield name, cjpeg("-sample", factors)
        yield name + ", progressive", cjpeg("-sample", factors, "-progressive")
        if "three across" == name:
            yield name + ", restarts", cjpeg("-sample", factors, "-restart", "1B")
            yield name + ", progressive restarts", cjpeg("-sample", factors, "-progressive", "-restart", "1")
            yield name + ", optimised", cjpeg("-sample", factors, "-optimize")
            yield name + ", no end", cjpeg("-sample", factors)[:-2]
    yield "grey, factor 3", cjpeg("-grayscale", "-sample", "3x1", grey=True)
    yield "RGB", cjpeg("-rgb")
    yield "RGB, green whole", cjpeg("-rgb", "-sample", "2x2,1x1,1x1")
    yield "RGB, factor 3", cjpeg("-rgb", "-sample", "3x1,1x1,1x1")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as scans:
        scans.write("0;\n1;\n2;\n")
        scans.flush()
        yield "a scan for each plane", cjpeg("-sample", "3x1,1x1,1x1", "-scans", scans.name)
    cmyk = saved(picture("smooth", 17, 13).convert("CMYK"), "JPEG", quality=85)
    yield "CMYK without Adobe's marker", without(cmyk, b"\xff\xee")
    sub = saved(picture("smooth", 32, 16).convert("CMYK"), "JPEG", quality=85)
    at = sub.index(b"\xff\xc0")
    # As many blocks in the same order: a valid file of another layout.
    for name, plane in [("first", 0), ("last", 3)]:
        for what, whole in [("", sub), (", without Adobe's marker", without(sub, b"\xff\xee"))]:
            at = whole.index(b"\xff\xc0")
            factor = at + 11 + 3 * plane
            yield f"CMYK, the {name} plane finer{what}", whole[:factor] + b"\x21" + whole[factor + 1 :]
    yield "no end", cjpeg()[:-2]
    yield "half an end", cjpeg()[:-1]
    yield "no end, progressive", cjpeg("-progressive")[:-2]
    yield "no end, restarts", cjpeg("-restart", "1B")[:-2]
    yield "arithmetic coding", cjpeg("-arithmetic")
    yield "arithmetic coding, progressive", cjpeg("-arithmetic", "-progressive")


def other_formats():
    colour = picture("smooth", 21, 19)
    noise = picture("noise", 13, 11)
    alpha = colour.copy()
    alpha.putalpha(picture("smooth", 21, 19).convert("L").rotate(180))
    clear = noise.convert("RGBA")
    clear.putalpha(noise.convert("L"))
    palette = colour.quantize(16)
    for name, image, options in [
        ("lossy", colour, dict(quality=80)),
        ("lossy, even", picture("smooth", 32, 32), dict(quality=80)),
        ("lossy, noise", noise, dict(quality=50)),
        ("lossy, 1 pixel", picture("noise", 1, 1), {}),
        ("lossy, 2 pixels", picture("noise", 2, 1), {}),
        ("lossy, transparent", alpha, dict(quality=80)),
        ("lossless", noise, dict(lossless=True)),
        ("lossless, transparent", clear, dict(lossless=True, exact=True)),
    ]:
        yield "WebP " + name, saved(image, "WEBP", **options)
    yield "WebP animated", saved(colour, "WEBP", save_all=True, append_images=[colour.rotate(180)])
    for name, image in [
        ("true colour", colour),
        ("grey", noise.convert("L")),
        ("palette", palette),
        ("black and white", noise.convert("1")),
        ("32 bits", clear),
    ]:
        yield "BMP " + name, saved(image, "BMP")
    bmp = saved(noise, "BMP")
    rows = [bmp[54 + 40 * y :][:40] for y in range(11)]
    yield "BMP from the top", bmp[:22] + (-11).to_bytes(4, "little", signed=True) + bmp[26:54] + b"".join(reversed(rows))
    for name, image, options in [
        ("true colour", colour, {}),
        ("LZW", colour, dict(compression="tiff_lzw")),
        ("LZW, differences", colour, dict(compression="tiff_lzw", tiffinfo={317: 2})),
        ("deflate", colour, dict(compression="tiff_adobe_deflate")),
        ("old deflate", colour, dict(compression="tiff_deflate")),
        ("packbits", colour, dict(compression="packbits")),
        ("strips", colour, dict(compression="tiff_lzw", tiffinfo={278: 4})),
        ("grey", noise.convert("L"), {}),
        ("palette", palette, {}),
        ("black and white", noise.convert("1"), {}),
        ("fax", noise.convert("1"), dict(compression="group4")),
        ("transparent", clear, {}),
        ("CMYK", colour.convert("CMYK"), {}),
        ("JPEG", colour, dict(compression="jpeg")),
    ]:
        yield "TIFF " + name, saved(image, "TIFF", **options)
    wide = Image.new("I;16", (16, 16))
    wide.putdata([v * 257 + v // 2 for v in range(256)])
    yield "TIFF 16 bits", saved(wide, "TIFF")
    yield "TIFF two pages", saved(colour, "TIFF", save_all=True, append_images=[noise])
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "in.tif")
        with open(source, "wb") as f:
            f.write(saved(colour, "TIFF"))
        for name, options in [("tiles", ["-t", "-w", "16", "-l", "16", "-c", "lzw"]), ("planes", ["-p", "separate"]), ("big-endian, zip", ["-B", "-c", "zip:2"])]:
            target = os.path.join(work, "out.tif")
            subprocess.run(["tiffcp", *options, source, target], check=True)
            with open(target, "rb") as f:
                yield "TIFF " + name, f.read()
    yield "GIF", saved(palette, "GIF")
    yield "GIF transparent", saved(palette, "GIF", transparency=3)
    yield "GIF animated", saved(palette, "GIF", save_all=True, append_images=[colour.rotate(180).quantize(16)], optimize=False)
    yield "GIF not interlaced", saved(palette, "GIF", interlace=False)
    for name, options in [("on a canvas", {}), ("transparent, on a canvas", dict(transparency=3))]:
        gif = bytearray(saved(palette, "GIF", optimize=False, **options))
        gif[6:10] = (25).to_bytes(2, "little") + (23).to_bytes(2, "little")
        at = gif.index(b"\x2c\x00\x00\x00\x00\x15\x00\x13\x00")
        gif[at + 1], gif[at + 3] = 3, 2  # the place of the frame
        yield "GIF " + name, bytes(gif)


def tiny():
    """Files of few bytes, from which fuzzing starts."""
    image = picture("smooth", 9, 9)
    ppm = saved(image, "PPM")
    for name, options in [
        ("baseline", []),
        ("4:4:4", ["-sample", "1x1"]),
        ("progressive", ["-progressive", "-grayscale"]),
        ("restarts", ["-restart", "1B"]),
        ("uneven", ["-sample", "2x2,1x1,1x2"]),
        ("uneven, progressive", ["-sample", "2x2,1x1,1x2", "-progressive", "-quality", "5"]),
        ("three", ["-sample", "3x1,1x1,1x1", "-restart", "1B"]),
        ("finer", ["-sample", "1x1,2x2,2x2"]),
        ("grey", ["-grayscale"]),
        ("RGB", ["-rgb"]),
    ]:
        yield "tiny JPEG " + name, run("cjpeg", "-quality", "30", "-optimize", *options, data=ppm)
    cmyk = saved(image.convert("CMYK"), "JPEG", quality=30, optimize=True)
    yield "tiny JPEG CMYK", cmyk
    yield "tiny JPEG CMYK without Adobe's marker", without(cmyk, b"\xff\xee")
    yield "tiny PNG", saved(image, "PNG")
    yield "tiny PNG, palette", saved(image.quantize(4), "PNG")


def turned():
    image = picture("noise", 7, 5)
    smooth = picture("smooth", 7, 5)
    for o in range(1, 9):
        exif = Image.Exif()
        exif[271] = "A camera"
        exif[ORIENTATION] = o
        yield f"JPEG, orientation {o}", saved(smooth, "JPEG", quality=95, subsampling=0, exif=exif)
        yield f"PNG, orientation {o}", saved(image, "PNG", exif=exif)
        yield f"WebP, orientation {o}", saved(image, "WEBP", lossless=True, exif=exif)
        yield f"TIFF, orientation {o}", saved(image, "TIFF", tiffinfo={ORIENTATION: o})


def pixels(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):  # rounded, and not truncated
        image = Image.frombytes("L", image.size, bytes((v * 255 + 32767) // 65535 for v in image.getdata()))
    if image.mode == "P" and "transparency" in image.info or image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA")
        white = bytearray()
        for *colour, a in image.getdata():
            white += bytes((2 * (c * a + 255 * (255 - a)) + 255) // 510 for c in colour)
        image = Image.frombytes("RGB", image.size, bytes(white))
    return image.convert("RGB")


REFUSED = {
    "arithmetic coding",
    "arithmetic coding, progressive",
    "WebP animated",
    "TIFF CMYK",
    "TIFF JPEG",
    "TIFF planes",
}


def main():
    cases = []
    before = None
    for group, files in [("jpeg", jpegs()), ("other", other_formats()), ("tiny", tiny()), ("turned", turned())]:
        for name, data in files:
            case = dict(group=group, name=name, file=b64(data))
            if name in REFUSED:
                before = None
            else:
                image = pixels(data)
                case.update(w=image.width, h=image.height)
                if image.tobytes() == before:
                    case.update(same=True)  # as the case before
                else:
                    case.update(pix=b64(image.tobytes()))
                before = image.tobytes()
            cases.append(case)
    out = dict(pillow=Image.__version__, libjpeg=features.version("libjpeg_turbo"), webp=features.version("webp"), libtiff=features.version("libtiff"))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures.json")
    with open(path, "w") as f:  # a line for each case
        f.write(json.dumps(out)[:-1] + ', "cases": [\n')
        f.write(",\n".join(json.dumps(c, separators=(",", ":"), ensure_ascii=False) for c in cases))
        f.write("\n]}\n")


if __name__ == "__main__":
    main()
