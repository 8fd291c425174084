"""The workshop's models in PyTorch, timed on request: what cmd/bench compares with.

    python3 torch_bench.py MODEL BATCH THREADS

MODEL may also be vgg16: torchvision's, which only predicts. The script
answers each line on standard input with a line of JSON:

    loss        {"loss": of a batch, with weights and pictures made by a recipe}
    train N     {"seconds": that each of N training steps took on average}
    infer N     {"seconds": that each of N predictions took on average}
    memory      {"bytes": the largest memory so far}
    version     {"name": …}
"""
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))

import torch

from goldens import fill_weights, recipe
from models import MODELS, features, psnr_loss


def main():
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    if name == "vgg16":
        import torchvision

        model = torchvision.models.vgg16(weights=None).eval()
        fill_weights(model)
        picture = recipe(50, batch, 3, 224, 224)
        serve(lambda: (infer(model, picture) ** 2).mean(), None, lambda: infer(model, picture))
        return
    model = MODELS[name]()
    fill_weights(model)
    x = (recipe(50, batch, 3, 72, 72) + 1) / 2
    targets = [(recipe(51 + i, batch, 3, side, side) + 1) / 2 for i, side in enumerate((144, 288))]
    extra = features(name, recipe, batch, 72, 72)
    adam = torch.optim.Adam(model.parameters(), lr=0.001)

    def loss():
        return sum(psnr_loss(p, t) for p, t in zip(model(x, *extra), targets))

    def step():
        adam.zero_grad()
        loss().backward()
        adam.step()

    serve(loss, step, lambda: infer(model, x, *extra))


def infer(model, *inputs):
    with torch.no_grad():
        return model(*inputs)


def timed(f, n):
    start = time.perf_counter()
    for _ in range(n):
        f()
    return {"seconds": (time.perf_counter() - start) / n}


def serve(loss, step, predict):
    for line in sys.stdin:
        word, *args = line.split()
        if word == "loss":
            answer = {"loss": loss().item()}
        elif word == "train":
            answer = timed(step, int(args[0]))
        elif word == "infer":
            answer = timed(predict, int(args[0]))
        elif word == "memory":
            answer = {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        else:
            answer = {"name": "PyTorch " + torch.__version__}
        print(json.dumps(answer), flush=True)


main()
