"""The bench's models in PyTorch, timed on request: see protocol.py.

    python3 torch_bench.py [MODEL BATCH THREADS]
"""
import sys

from protocol import say, serve, timed

try:
    import torch
except (ImportError, OSError) as e:  # OSError: a library of its own that cannot be loaded
    say(missing=f"PyTorch cannot be imported ({e}); install it with pip install torch, or as Debian's python3-torch")
    sys.exit()

NAME = "PyTorch " + torch.__version__


def main(model, batch, threads):
    from cases import Case

    torch.set_num_threads(int(threads))
    case = Case(model, batch)
    if case.enlarges:
        choose_layout(case)

    step = None
    if case.targets is not None:
        adam = torch.optim.Adam(case.model.parameters(), lr=0.001)

        def step():
            adam.zero_grad()
            case.loss().backward()
            adam.step()

    serve(NAME, lambda: case.loss().item(), step, case.predict)


def choose_layout(case):
    """Has the network's weights lie as PyTorch computes a part of the picture faster: by channels or by pixels."""
    part = case.inputs[0][:, :128, :128].contiguous()

    def seconds(layout):
        case.model.to(memory_format=layout)
        return min(timed(lambda: case.predict(part), 1) for _ in range(2))

    case.model.to(memory_format=min(torch.channels_last, torch.contiguous_format, key=seconds))


if len(sys.argv) == 1:
    say(name=NAME)
else:
    main(*sys.argv[1:])
