"""How a peer of cmd/bench answers: each line on standard input with a line of JSON.

    loss        {"loss": of a batch, predicted with weights and from pictures made by a recipe}
    loss train  {"loss": as a training step computes it}
    train N     {"seconds": that each of N training steps took on average}
    infer N     {"seconds": that each of N predictions took on average}
    memory      {"bytes": the largest memory so far}
    version     {"name": …, "trains": whether it knows train}

A peer that is started without arguments only says whether it can run at all: with its
name, or {"missing": what it lacks}. If it can compute a model in several ways, it lists them,
the first as most people run it, and the allocators that it can be started with beside the
system's:

    {"name": …, "ways": ["contiguous", "channels_last"], "allocators": ["tcmalloc"]}

Then it is started with one of them, such as "channels_last, tcmalloc", as its last argument,
and may answer any line with {"missing": why this one cannot run}, which leaves only this one
out. Nothing here imports PyTorch, so that a peer which does without has none of it in its
memory."""
import ctypes.util
import json
import math
import os
import resource
import signal
import sys
import time

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C in cmd/bench ends its peers, too: without a traceback


def say(**answer):
    print(json.dumps(answer), flush=True)


def allocators():
    """Those of ALLOCATORS that are installed."""
    return [name for name in ALLOCATORS if library(name)]


# Allocators that do not give memory back to the system after each operation, the preferred one first.
ALLOCATORS = {"tcmalloc": ("tcmalloc_minimal", "tcmalloc"), "jemalloc": ("jemalloc",)}


def library(name):
    if sys.platform != "linux":
        return None
    return next(filter(None, map(ctypes.util.find_library, ALLOCATORS[name])), None)


def take_memory_from(name):
    """Starts the script once more, unless it has the allocator of that name; "" is the system's. A process gets its
    allocator before anything else."""
    wanted = library(name) if name else ""
    if os.environ.get("LD_PRELOAD", "") != wanted:
        os.environ["LD_PRELOAD"] = wanted
        os.execv(sys.executable, [sys.executable, *sys.argv])
    with open(os.devnull if not name else "/proc/self/maps") as maps:
        if wanted not in maps.read():
            say(missing=f"{wanted} could not be loaded")
            sys.exit()


def timed(f, n):
    start = time.perf_counter()
    for _ in range(n):
        f()
    return (time.perf_counter() - start) / n


def peak_bytes():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def say_loss(loss):
    """Says the loss, unless it is none: code that a compiler generated for this processor may be wrong."""
    if math.isfinite(loss):
        say(loss=loss)
    else:
        say(missing=f"its loss is {loss}")


def serve(name, loss, train, infer):
    """loss is told whether a training step is to compute it. train is None if the model only predicts."""
    for line in sys.stdin:
        word, *args = line.split()
        if word == "loss":
            say_loss(loss(args == ["train"]))
        elif word == "train" and train is not None:
            say(seconds=timed(train, int(args[0])))
        elif word == "infer":
            say(seconds=timed(infer, int(args[0])))
        elif word == "memory":
            say(bytes=peak_bytes())
        elif word == "version":
            say(name=name, trains=train is not None)
        else:
            sys.exit(f"expected loss, loss train, train N, infer N, memory or version, found {line!r}")
