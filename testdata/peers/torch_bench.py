"""The bench's models in PyTorch, timed on request: see protocol.py.

    python3 torch_bench.py [MODEL BATCH THREADS]
"""
import sys

from protocol import say, serve

try:
    import torch
except (ImportError, OSError) as e:  # OSError: a library of its own that cannot be loaded
    say(missing=f"PyTorch cannot be imported ({e}); install it with pip install torch, or as Debian's python3-torch")
    sys.exit()

NAME = "PyTorch " + torch.__version__


def main(model, batch, threads):
    from cases import Case

    torch.set_num_threads(int(threads))
    case = Case(model, int(batch))

    step = None
    if case.targets is not None:
        adam = torch.optim.Adam(case.model.parameters(), lr=0.001)

        def step():
            adam.zero_grad()
            case.loss().backward()
            adam.step()

    serve(NAME, lambda: case.loss().item(), step, case.predict)


if len(sys.argv) == 1:
    say(name=NAME)
else:
    main(*sys.argv[1:])
