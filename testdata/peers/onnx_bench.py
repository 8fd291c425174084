"""The bench's models in ONNX Runtime, timed on request: see protocol.py. They only predict.

    python3 onnx_bench.py [MODEL BATCH THREADS]
"""
import sys

import exported
from protocol import say, serve


def main(model, batch, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    for pool in "intra_op", "inter_op":  # waiting threads would take time from whom they are compared with
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")

    def open_file(path):
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    session, inputs, targets = exported.load(model, batch, open_file)
    feed = {node.name: x for node, x in zip(session.get_inputs(), inputs)}
    serve(NAME, lambda _: exported.loss(session.run(None, feed), targets), None, lambda: session.run(None, feed))


try:
    import onnxruntime
except (ImportError, OSError) as e:
    say(missing=f"ONNX Runtime cannot be imported ({e}); install it with pip install onnxruntime")
    sys.exit()
NAME = "ONNX Runtime " + onnxruntime.__version__
if len(sys.argv) > 1:
    main(*sys.argv[1:])
elif exported.LACKS:
    say(missing="ONNX Runtime: " + exported.LACKS)
else:
    say(name=NAME)
