"""Golden files for tensor/torchfile, made by PyTorch 1.13.

    python3 torchfile.py      writes torchfile/*.pt and, with the values to expect as
                              contiguous float32, torchfile/*.safetensors beside this script

Needs torch and safetensors; their versions are in the metadata of the latter.
"""

import linecache
import os
import pickle
import struct
import sys
from collections import OrderedDict

sys.path.pop(0)  # the script safetensors.py beside this one is not the module
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchfile")
VERSIONS = {"made by": f"torch {torch.__version__}, safetensors {safetensors.__version__}"}


def recipe(seed, *shape):
    """Multiples of 1/8 from -6.25 to 6.25: exact in every float type. The Go test has the same."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 37 + seed) % 101 - 50).to(torch.float32) / 8).reshape(shape)


def weights():
    big = recipe(9, 4, 5, 6)
    tied = recipe(10, 3, 4)
    return OrderedDict([
        ("conv.weight", recipe(1, 2, 3, 3, 3)),
        ("conv.bias", nn.Parameter(recipe(2, 2))),
        ("half", recipe(3, 5).half()),
        ("bfloat", recipe(4, 5).bfloat16()),
        ("double", recipe(5, 5).double()),
        ("scalar", recipe(6)),
        ("empty", recipe(7, 0, 3)),
        ("num_batches_tracked", torch.tensor(7)),
        ("mask", torch.tensor([True, False])),
        ("transposed", recipe(8, 3, 4).t()),
        ("permuted.half", recipe(11, 2, 3, 4).half().permute(2, 0, 1)),
        ("slice", big[1:3, 2]),
        ("columns", big[:, ::2, 1::3]),
        ("expanded", recipe(12, 3, 1).expand(3, 4)),
        ("tied.a", tied),
        ("tied.b", tied),
        ("tied.row", tied[1]),
        ("größe.漢", recipe(13, 2)),
    ])


def expected(tensors, file):
    floats = {k: v.detach().float().contiguous().clone() for k, v in tensors.items() if v.is_floating_point()}
    save_file(floats, os.path.join(HERE, file), metadata=VERSIONS)


# The source of the scripted module has a file name of its own, so that no path of the machine that ran this gets into
# the archive's debugging information; for the same reason it has no layer of torch.nn.
SOURCE = '''
class Linear(nn.Module):
    def __init__(self, i: int, o: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(o, i))
        self.bias = nn.Parameter(torch.zeros(o))
        self.sizes = [i, o]


class Block(nn.Module):
    def __init__(self, seed: int):
        super().__init__()
        self.mlp = Linear(2, 2)
        self.width = 2
        self.names = ["a", "b"]
        self.table = {"a": 1.5}
        self.register_buffer("mask", recipe(seed, 2, 3).t())
        self.register_buffer("steps", torch.tensor(seed))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = nn.Module()
        self.visual.add_module("0", Block(20))
        self.visual.add_module("1", Block(21))
        self.text = Linear(2, 3)
        self.tied = Linear(2, 3)
        self.tied.weight = self.text.weight
        self.logit_scale = nn.Parameter(torch.tensor(0.0))
        self.register_buffer("input_resolution", torch.tensor(224))

    def forward(self, x):
        return x * self.logit_scale
'''


def scripted():
    linecache.cache["model.py"] = (len(SOURCE), None, SOURCE.splitlines(True), "model.py")
    scope = {"nn": nn, "torch": torch, "recipe": recipe, "__name__": "model"}
    sys.modules["model"] = type(sys)("model")
    exec(compile(SOURCE, "model.py", "exec"), scope)
    sys.modules["model"].__dict__.update(scope)
    model = scope["Model"]()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(recipe(i, *p.shape))
    return torch.jit.script(model.eval().half())


def python2(path):
    """What PyTorch 0.1 under Python 2 wrote, such as torchvision's first VGG16: an OrderedDict made from a list of
    lists, byte strings, _rebuild_tensor without a version, and a storage that is a view of another."""
    def text(s):
        return b"U" + bytes([len(s)]) + s.encode()

    def tensor(key, storage_elements, view, offset, shape, stride):
        out = b"ctorch._utils\n_rebuild_tensor\n(("
        out += text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"K" + bytes([storage_elements])
        out += b"(" + text(view[0]) + b"K" + bytes([view[1]]) + b"K" + bytes([view[2]]) + b"t" if view else b"N"
        out += b"tQK" + bytes([offset])
        for numbers in (shape, stride):
            out += b"(" + b"".join(b"K" + bytes([n]) for n in numbers) + b"t"
        return out + b"tR"

    def item(name, t):
        return b"](" + text(name) + t + b"e"

    body = b"\x80\x02ccollections\nOrderedDict\n]("
    body += item("features.0.weight", tensor("101", 12, None, 0, (3, 4), (4, 1)))
    body += item("features.0.bias", tensor("102", 8, ("103", 2, 3), 0, (3,), (1,)))
    body += item("classifier.weight", tensor("102", 8, ("104", 4, 4), 1, (2,), (1,)))
    body += b"e\x85R."
    with open(path, "wb") as f:
        for v in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True,
                                                "type_sizes": {"short": 2, "int": 4, "long": 4}}):
            pickle.dump(v, f, protocol=2)
        f.write(body)
        pickle.dump(["101", "102"], f, protocol=2)
        for seed, n in ((1, 12), (2, 8)):
            f.write(struct.pack("<q", n) + recipe(seed, n).numpy().tobytes())


def main():
    os.makedirs(HERE, exist_ok=True)
    path = lambda name: os.path.join(HERE, name)
    w = weights()
    torch.save(w, path("zip.pt"))
    torch.save(w, path("legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save(w, path("protocol4.pt"), pickle_protocol=4)
    expected(w, "weights.safetensors")

    torch.save({"epoch": 3, "loss": 0.25, "none": None, "args": ["a", ("b",)], "big": 1 << 40, "negative": -5,
                "state_dict": OrderedDict([("w", recipe(1, 2, 3))]), "optimizer": {"state": {0: {"m": recipe(2, 3)}}}},
               path("nested.pt"))
    expected({"state_dict.w": recipe(1, 2, 3), "optimizer.state.0.m": recipe(2, 3)}, "nested.safetensors")

    s = scripted()
    torch.jit.save(s, path("script.pt"))
    expected(s.state_dict(), "script.safetensors")

    python2(path("python2.pt"))
    old = torch.load(path("python2.pt"))  # PyTorch agrees that this is its format
    want = {"features.0.weight": recipe(1, 3, 4), "features.0.bias": recipe(2, 8)[2:5],
            "classifier.weight": recipe(2, 8)[5:7]}
    assert old.keys() == want.keys() and all(torch.equal(old[k], want[k]) for k in want)
    expected(want, "python2.safetensors")


main()
