"""The bench's models in PyTorch, timed on request: see protocol.py.

    python3 torch_bench.py [MODEL BATCH THREADS VARIANT]

The plain variant, WAYS[0], is PyTorch as most people run it. The others do what makes it faster: pictures and weights
that lie by pixels, code that torch.compile generates, with weights that are constants where it only predicts, an
optimiser that is one kernel, and another allocator."""
import os
import sys

from protocol import allocators, say, serve, take_memory_from

WAYS = ["contiguous", "channels_last", "compiled contiguous", "compiled channels_last"]
if len(sys.argv) > 1:
    way, _, allocator = sys.argv[4].partition(", ")
    take_memory_from(allocator)
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # or processes that compile stay

try:
    import torch
except (ImportError, OSError) as e:  # OSError: a library of its own that cannot be loaded
    say(missing=f"PyTorch cannot be imported ({e}); install it with pip install torch, or as Debian's python3-torch")
    sys.exit()

NAME = "PyTorch " + torch.__version__.split("+")[0]


def main(model, batch, threads, variant):
    from cases import Case

    torch.set_num_threads(int(threads))
    case = Case(model, batch)
    case.lay_out(torch.channels_last if way.endswith("channels_last") else torch.contiguous_format)
    network, training_loss = case.model, lambda *inputs: case.loss(case.model(*inputs))
    if compiles := way.startswith("compiled"):
        network = torch.compile(network, dynamic=False, options={"freezing": True})
        training_loss = torch.compile(training_loss, dynamic=False)

    def predict():
        with torch.inference_mode():
            return network(*case.inputs)

    step = None
    if case.targets is not None:
        adam = optimiser(case.model.parameters(), variant)

        def step():
            adam.zero_grad()
            training_loss(*case.inputs).backward()
            adam.step()

    def loss(training):
        if training:
            return training_loss(*case.inputs).item()
        return case.loss(predict()).item()

    questions = [loss, step, predict]
    if compiles:
        questions = [f and or_missing(f) for f in questions]
    serve(NAME, *questions)


def optimiser(parameters, variant):
    parameters = list(parameters)
    if variant != WAYS[0]:
        try:
            return torch.optim.Adam(parameters, lr=0.001, fused=True)
        except (RuntimeError, TypeError):  # before version 2.4 processors have none
            pass
    return torch.optim.Adam(parameters, lr=0.001)


def or_missing(f):
    """What cannot be compiled is left out, whatever the compiler's reason."""

    def answer(*args):
        try:
            return f(*args)
        except Exception as e:
            reason = " ".join(str(e).split())[:300]
            say(missing=f"it cannot be compiled ({type(e).__name__}: {reason})")
            sys.exit()

    return answer


if len(sys.argv) == 1:
    say(name=NAME, ways=WAYS if hasattr(torch, "compile") else WAYS[:2], allocators=allocators())
else:
    main(*sys.argv[1:])
