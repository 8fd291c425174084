"""ViT-B/32 in PyTorch, timed on request: what the test TestAgainstPyTorch of package clip compares with.

    python3 clip_bench.py MODEL.PY THREADS

MODEL.PY is OpenAI's clip/model.py, as in the package clip-anytorch. Answers each line on standard input:

    version       the version of PyTorch
    image N       seconds that encode_image of N pictures takes, by the clock and of all processors together
    text N        the same for encode_text of N texts of 77 tokens
    memory        the largest memory so far, in bytes
"""
import importlib.util
import resource
import sys
import time

import torch


def main():
    torch.set_num_threads(int(sys.argv[2]))
    spec = importlib.util.spec_from_file_location("model", sys.argv[1])
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    model = code.CLIP(512, 224, 12, 768, 32, 77, 49408, 512, 8, 12).eval()

    def seconds(f):
        start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        with torch.no_grad():
            f()
        took, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        return f"{took} {now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime}"

    for line in sys.stdin:
        word, *n = line.split()
        if word == "image":
            x = torch.randn(int(n[0]), 3, 224, 224)
            print(seconds(lambda: model.encode_image(x)), flush=True)
        elif word == "text":
            ids = torch.randint(49000, (int(n[0]), 77))
            ids[:, -1] = 49407
            print(seconds(lambda: model.encode_text(ids)), flush=True)
        elif word == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)
        else:
            print(torch.__version__, flush=True)


main()
