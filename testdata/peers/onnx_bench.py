"""The bench's models in ONNX Runtime, timed on request: see protocol.py. They only predict.

    python3 onnx_bench.py [MODEL BATCH THREADS]

PyTorch exports a model to a temporary file. That happens in a process of its own, which is
over before ONNX Runtime loads the file, so that the memory in the answers is not PyTorch's."""
import importlib.util
import inspect
import os
import subprocess
import sys
import tempfile

from protocol import say, serve


def export(model, batch, folder):
    import numpy as np
    import torch

    from cases import Case

    case = Case(model, int(batch))
    case.model.eval()
    options = dict(opset_version=13)
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # the newer exporter needs packages that this does not
    torch.onnx.export(case.model, tuple(case.inputs), os.path.join(folder, "model.onnx"), **options)
    arrays = {f"input{i}": x.numpy() for i, x in enumerate(case.inputs)}
    arrays.update({f"target{i}": t.numpy() for i, t in enumerate(case.targets or [])})
    np.savez(os.path.join(folder, "data.npz"), **arrays)


def main(model, batch, threads):
    import numpy as np

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    for pool in "intra_op", "inter_op":  # waiting threads would take time from whom they are compared with
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    with tempfile.TemporaryDirectory() as folder:
        exporter = [sys.executable, "-W", "ignore", os.path.abspath(__file__), "export", model, batch, folder]
        if status := subprocess.run(exporter, stdout=subprocess.DEVNULL).returncode:
            sys.exit(f"the export of {model} to ONNX ended with status {status}; the message above says why")
        session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"])
        with np.load(os.path.join(folder, "data.npz")) as data:
            arrays = {key: data[key] for key in data.files}
    feed = {node.name: arrays[f"input{i}"] for i, node in enumerate(session.get_inputs())}
    targets = [arrays[key] for key in sorted(arrays) if key.startswith("target")]

    def mean_square(x):
        return float(np.mean(np.square(x), dtype=np.float64))

    def loss():
        outputs = session.run(None, feed)
        if not targets:
            return mean_square(outputs[0])
        return float(sum(1 / (-10 * np.log10(mean_square(p - t))) for p, t in zip(outputs, targets)))

    serve("ONNX Runtime " + onnxruntime.__version__, loss, None, lambda: session.run(None, feed))


if len(sys.argv) > 1 and sys.argv[1] == "export":
    export(*sys.argv[2:])
    sys.exit()
try:
    import onnxruntime
except (ImportError, OSError) as e:
    say(missing=f"ONNX Runtime cannot be imported ({e}); install it with pip install onnxruntime")
    sys.exit()
if len(sys.argv) > 1:
    main(*sys.argv[1:])
elif importlib.util.find_spec("torch") is None:
    say(missing="ONNX Runtime gets its models from PyTorch, which is not installed; install that with pip install torch")
else:
    say(name="ONNX Runtime " + onnxruntime.__version__)
