"""The bench's models as ONNX files. PyTorch exports them in a process of its own,

    python3 exported.py MODEL BATCH FOLDER

which is over before another library loads the file, so that the memory in its answers is not PyTorch's."""
import importlib.util
import inspect
import os
import subprocess
import sys
import tempfile

FILE = "model.onnx"
LACKS = None  # what this needs and is not installed
if importlib.util.find_spec("torch") is None:
    LACKS = "its models come from PyTorch, which is not installed; install that with pip install torch"


def export(model, batch, folder):
    import numpy as np
    import torch

    from cases import Case

    case = Case(model, batch)
    case.model.eval()
    options = dict(opset_version=13)
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # the newer exporter needs packages that this does not
    torch.onnx.export(case.model, tuple(case.inputs), os.path.join(folder, FILE), **options)
    arrays = {f"input{i}": x.numpy() for i, x in enumerate(case.inputs)}
    arrays.update({f"target{i}": t.numpy() for i, t in enumerate(case.targets or [])})
    np.savez(os.path.join(folder, "data.npz"), **arrays)


def run(script, *args):
    """Has another process write files to the last argument, a folder."""
    command = [sys.executable, "-W", "ignore", os.path.abspath(script), *args]
    if status := subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"the export of {args[-3]} ended with status {status}; the message above says why")


def load(model, batch, open_file):
    """Returns what open_file makes of the model's file, its inputs, and the targets of those that are trained."""
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        run(__file__, model, batch, folder)
        opened = open_file(os.path.join(folder, FILE))
        with np.load(os.path.join(folder, "data.npz")) as data:
            arrays = {key: data[key] for key in data.files}
    inputs, targets = ([arrays[key] for key in sorted(arrays) if key.startswith(kind)] for kind in ("input", "target"))
    return opened, inputs, targets


def loss(outputs, targets):
    """What Case.loss computes, of arrays."""
    if not targets:
        return mean_square(outputs[0])
    import numpy as np

    return float(sum(1 / (-10 * np.log10(mean_square(p - t))) for p, t in zip(outputs, targets)))


def mean_square(x):
    import numpy as np

    if x.dtype == np.uint8:  # some at a time: memory is compared
        counts = sum(np.bincount(part, minlength=256) for part in parts(x.reshape(-1)))
        return float(counts @ (np.arange(256) / 255) ** 2 / x.size)
    return float(np.mean(np.square(x), dtype=np.float64))


def parts(x, size=1 << 20):
    return (x[at : at + size] for at in range(0, len(x), size))


if __name__ == "__main__":
    export(*sys.argv[1:])
