"""Golden files for tensor/safetensors, made by the official package.

    python3 safetensors.py                    writes safetensors/*.safetensors beside this script
    python3 safetensors.py check FOLDER       loads the files that `go test ./tensor/safetensors -keep FOLDER`
                                              left there, and compares them with the same recipe

Needs torch and safetensors; their versions are in the metadata of types.safetensors.
"""

import os
import sys

sys.path.pop(0)  # this script must not be found as the module "safetensors"
import safetensors
import torch
from safetensors.torch import load_file, safe_open, save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "safetensors")


def recipe(seed, *shape):
    """Multiples of 1/8 from -6.25 to 6.25: exact in every float type. The Go test has the same."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 37 + seed) % 101 - 50).to(torch.float32) / 8).reshape(shape)


def halves():
    """Bit patterns of half precision in which something happens."""
    edges = [0x0000, 0x0001, 0x0002, 0x03FF, 0x0400, 0x0401, 0x3BFF, 0x3C00, 0x3C01, 0x5640, 0x7BFE, 0x7BFF, 0x7C00]
    edges += [e - 0x8000 for e in edges]  # the sign bit, as an int16 has it
    return torch.tensor(edges, dtype=torch.int16).view(torch.float16)


def rounded():
    """float32 numbers around the places where rounding to half precision changes its mind."""
    base = [2.0**-25, 2.0**-24, 3 * 2.0**-25, 2.0**-14, 1 + 2.0**-11, 1 + 3 * 2.0**-11, 2047.5, 2049, 2051,
            65504, 65519, 65520, 65536, 1e9, 1e-9, 0.1, 1 / 3]
    x = torch.tensor(base, dtype=torch.float32)
    bits = x.view(torch.int32)
    x = torch.cat([x, (bits + 1).view(torch.float32), (bits - 1).view(torch.float32)])
    x = torch.cat([x, torch.tensor([0.0, float("inf")])])
    return torch.cat([x, -x])


def plain():
    """Tensors of one type: the Go writer must make the same bytes."""
    return {
        "conv1.weight": recipe(1, 4, 3, 3, 3),
        "conv1.bias": recipe(2, 4),
        "conv10.bias": recipe(3, 1),
        "conv2.bias": recipe(4, 2),
        "scalar": recipe(5),
        "empty": recipe(6, 0, 3),
        'odd "name"\\\t\x01/é 漢': recipe(7, 2, 2),
    }


def write():
    os.makedirs(HERE, exist_ok=True)
    h, r = halves(), rounded()
    types = {
        "f32": recipe(1, 2, 3), "f64": recipe(2, 2, 3).double(), "f16": recipe(3, 2, 3).half(),
        "bf16": recipe(4, 2, 3).bfloat16(), "f64.third": torch.tensor([1 / 3, 1e300, -1e300], dtype=torch.float64),
        "f64.third.f32": torch.tensor([1 / 3, 1e300, -1e300], dtype=torch.float64).float(),
        "half": h, "half.f32": h.float(), "bfloat": r.bfloat16(), "bfloat.f32": r.bfloat16().float(),
        "round": r, "round.f16": r.half(),
        "i64": torch.arange(3), "i32": torch.arange(3, dtype=torch.int32), "i16": torch.arange(3, dtype=torch.int16),
        "i8": torch.arange(3, dtype=torch.int8), "u8": torch.arange(3, dtype=torch.uint8),
        "bool": torch.tensor([True, False]), "num_batches_tracked": torch.tensor(7),
    }
    save_file(types, os.path.join(HERE, "types.safetensors"),
              metadata={"torch": torch.__version__, "safetensors": safetensors.__version__})
    save_file(plain(), os.path.join(HERE, "f32.safetensors"), metadata={"format": "pt"})
    save_file({k: v.half() for k, v in plain().items()}, os.path.join(HERE, "f16.safetensors"))
    save_file({}, os.path.join(HERE, "none.safetensors"))


def check(folder):
    for file, dtype, metadata in [("f32.safetensors", torch.float32, {"format": "pt"}), ("f16.safetensors", torch.float16, None)]:
        path = os.path.join(folder, file)
        got, want = load_file(path), {k: v.to(dtype) for k, v in plain().items()}
        assert got.keys() == want.keys(), (file, got.keys())
        for k in want:
            assert got[k].dtype == dtype and torch.equal(got[k], want[k]), (file, k)
        with safe_open(path, "pt") as f:
            assert f.metadata() == metadata, (file, f.metadata())
        print(path, "ok:", len(got), "tensors")


if len(sys.argv) == 3 and sys.argv[1] == "check":
    check(sys.argv[2])
elif len(sys.argv) == 1:
    write()
else:
    sys.exit(__doc__)
