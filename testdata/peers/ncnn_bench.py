"""The networks that enlarge pictures in ncnn, timed on request: see protocol.py.

    python3 ncnn_bench.py [MODEL SIZE THREADS [ALLOCATOR]]

Their files are written by a process of its own (ncnn_bench.py export MODEL SIZE FOLDER). The numbers of the result
are not made bytes in the time that is measured, because ncnn's Python cannot do that."""
import os
import sys
import tempfile

import exported
from protocol import allocators, say, serve, take_memory_from

PARAM, BIN, PICTURE = "model.param", "model.bin", "picture.npy"
ONLY = ["fast", "compact", "rrdb"]


def export(model, size, folder):
    import numpy as np

    from cases import Case
    from ncnn_files import write

    case = Case(model, size)
    np.save(os.path.join(folder, PICTURE), case.inputs[0][0].numpy())
    write(case.model.network, os.path.join(folder, PARAM), os.path.join(folder, BIN))


def main(model, size, threads, allocator=""):
    take_memory_from(allocator)
    import numpy as np

    net = ncnn.Net()
    net.opt.num_threads = int(threads)
    net.opt.use_vulkan_compute = False
    for half in "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage":
        setattr(net.opt, half, False)  # the others have float32
    with tempfile.TemporaryDirectory() as folder:
        exported.run(__file__, "export", model, size, folder)
        if net.load_param(os.path.join(folder, PARAM)) or net.load_model(os.path.join(folder, BIN)):
            sys.exit("ncnn: the network could not be loaded; the messages above say why")
        picture = np.load(os.path.join(folder, PICTURE))
    height, width, _ = picture.shape

    def enlarge():
        x = ncnn.Mat.from_pixels(picture, ncnn.Mat.PixelType.PIXEL_RGB, width, height)
        x.substract_mean_normalize([], [1 / 255] * 3)
        with net.create_extractor() as extractor:
            extractor.input("in0", x)
            status, y = extractor.extract("out0")
        if status != 0:
            sys.exit(f"ncnn: the prediction ended with status {status}")
        return y

    def loss():
        channels = np.array(enlarge(), copy=False)
        total = 0.0
        for part in exported.parts(channels.reshape(-1)):
            total += np.square(np.rint(np.clip(part, 0, 1) * np.float32(255)) / 255, dtype=np.float64).sum()
        return float(total / channels.size)

    serve(NAME, lambda _: loss(), None, enlarge)


if len(sys.argv) > 1 and sys.argv[1] == "export":
    export(*sys.argv[2:])
    sys.exit()
try:
    import ncnn
except (ImportError, OSError) as e:
    say(missing=f"ncnn cannot be imported ({e}); install it with pip install ncnn")
    sys.exit()
NAME = "ncnn " + ncnn.__version__
if len(sys.argv) > 1:
    main(*sys.argv[1:])
elif exported.LACKS:
    say(missing="ncnn: " + exported.LACKS)
else:
    say(name=NAME, only=ONLY, allocators=allocators())
