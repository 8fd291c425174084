"""The bench's models in OpenVINO, timed on request: see protocol.py. They only predict.

    python3 openvino_bench.py [MODEL BATCH THREADS]
"""
import os
import sys

if os.environ.pop("LD_PRELOAD", ""):  # another malloc, which makes PyTorch faster and OpenVINO crash
    os.execv(sys.executable, [sys.executable, *sys.argv])

import exported
from protocol import say, serve


def main(model, batch, threads):
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": int(threads),
        "INFERENCE_PRECISION_HINT": "f32",  # as the others compute
        "ENABLE_CPU_PINNING": False,  # who is timed in turn has the same cores
    }

    def open_file(path):
        return openvino.Core().compile_model(path, "CPU", options).create_infer_request()

    request, inputs, targets = exported.load(model, batch, open_file)

    def outputs():
        request.infer(inputs, share_inputs=True)
        return [request.get_output_tensor(i).data for i in range(len(request.model_outputs))]

    serve(NAME, lambda _: exported.loss(outputs(), targets), None, outputs)


try:
    import openvino
except (ImportError, OSError) as e:
    say(missing=f"OpenVINO cannot be imported ({e}); install it with pip install openvino")
    sys.exit()
NAME = "OpenVINO " + openvino.__version__.split("-")[0]
if len(sys.argv) > 1:
    main(*sys.argv[1:])
elif exported.LACKS:
    say(missing="OpenVINO: " + exported.LACKS)
else:
    say(name=NAME)
