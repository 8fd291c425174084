"""What the scripts that make golden vectors share: numbers made from one integer
recipe on both sides, so that inputs and weights need not be stored, and a
writer of safetensors files that needs nothing but NumPy."""
import json
import os
import struct

import numpy as np
import torch


def recipe(salt, *shape):
    """Numbers in [-1, 1] that look irregular: the i-th is ((i·7919 + salt·104729) mod 2003) / 1001 - 1."""
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    values = ((i * 7919 + salt * 104729) % 2003) / 1001.0 - 1.0
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def fill_weights(module, salt=0):
    """Gives parameter number i of a module recipe(salt+i) / sqrt(fan-in), as large as initial weights are."""
    with torch.no_grad():
        for i, p in enumerate(module.parameters()):
            fan_in = p[0].numel() if p.dim() > 1 else p.numel()
            p.copy_(recipe(salt + i, *p.shape) / np.float32(np.sqrt(fan_in)))


def sample(out, name, t, most=4000):
    """Puts a tensor, of more than so many numbers every k-th, and its norm into out."""
    flat = t.detach().flatten().clone()  # the next step writes over gradients
    out[name] = flat[:: (flat.numel() + most - 1) // most | 1]
    out[name + "/norm"] = flat.double().norm().float().reshape(1)


def save(name, tensors, **versions):
    """Writes tensors, in order, to name.safetensors beside this file, with the versions of what made them."""
    header = {"__metadata__": {"torch": torch.__version__, "numpy": np.__version__, **versions}}
    blobs, at = [], 0
    for key, t in tensors.items():
        a = t.detach().numpy() if isinstance(t, torch.Tensor) else np.asarray(t, dtype=np.float32)
        kind = "F16" if a.dtype == np.float16 else "F32"
        a = np.ascontiguousarray(a, dtype={"F16": "<f2", "F32": "<f4"}[kind])
        header[key] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        blobs.append(a.tobytes())
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".safetensors")
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(name, len(tensors), "tensors", os.path.getsize(path), "bytes")
