"""How a peer of cmd/bench answers: each line on standard input with a line of JSON.

    loss        {"loss": of a batch, with weights and pictures made by a recipe}
    train N     {"seconds": that each of N training steps took on average}
    infer N     {"seconds": that each of N predictions took on average}
    memory      {"bytes": the largest memory so far}
    version     {"name": …, "trains": whether it knows train}

A peer that is started without arguments only says whether it can run at all: with its
name, or {"missing": what it lacks}. Nothing here imports PyTorch, so that a peer which
does without has none of it in its memory."""
import json
import resource
import signal
import sys
import time

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in cmd/bench ends its peers, too: without a traceback


def say(**answer):
    print(json.dumps(answer), flush=True)


def timed(f, n):
    start = time.perf_counter()
    for _ in range(n):
        f()
    return (time.perf_counter() - start) / n


def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def serve(name, loss, train, infer):
    """train is None if the model only predicts."""
    for line in sys.stdin:
        word, *args = line.split()
        if word == "loss":
            say(loss=loss())
        elif word == "train" and train is not None:
            say(seconds=timed(train, int(args[0])))
        elif word == "infer":
            say(seconds=timed(infer, int(args[0])))
        elif word == "memory":
            say(bytes=peak_bytes())
        elif word == "version":
            say(name=name, trains=train is not None)
        else:
            sys.exit(f"expected loss, train N, infer N, memory or version, found {line!r}")
