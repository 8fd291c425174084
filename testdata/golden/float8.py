"""Golden file for tensor/safetensors: every number of 8 bits, as PyTorch and ml_dtypes read it.

    python3 float8.py      writes safetensors/float8.safetensors beside this script

Each type has a tensor of its 256 numbers, under the type's name in the format, and one with ".f32" that has them as
float32. Needs torch, safetensors and ml_dtypes; their versions are in the metadata.
"""

import os
import sys

sys.path.pop(0)  # the script safetensors.py beside this one is not the module
import ml_dtypes
import numpy as np
import safetensors
import torch
from safetensors.torch import save_file

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "safetensors")
TYPES = {
    "F8_E4M3": (torch.float8_e4m3fn, ml_dtypes.float8_e4m3fn),
    "F8_E5M2": (torch.float8_e5m2, ml_dtypes.float8_e5m2),
    "F8_E4M3FNUZ": (torch.float8_e4m3fnuz, ml_dtypes.float8_e4m3fnuz),
    "F8_E5M2FNUZ": (torch.float8_e5m2fnuz, ml_dtypes.float8_e5m2fnuz),
    "F8_E8M0": (torch.float8_e8m0fnu, ml_dtypes.float8_e8m0fnu),
}

tensors = {}
for name, (ours, theirs) in TYPES.items():
    numbers = np.arange(256, dtype=np.uint8)
    x = torch.from_numpy(numbers).view(ours)
    y = numbers.view(theirs).astype(np.float32)
    f = x.float().numpy()
    same = (f.view(np.uint32) == y.view(np.uint32)) | (np.isnan(f) & np.isnan(y))
    assert same.all(), (name, f[~same], y[~same])
    tensors[name], tensors[name + ".f32"] = x, torch.from_numpy(y)
save_file(tensors, os.path.join(HERE, "float8.safetensors"),
          metadata={"torch": torch.__version__, "safetensors": safetensors.__version__, "ml_dtypes": ml_dtypes.__version__})
