"""Golden files for tensor/torchfile: what people's weight files have beside and around their tensors.

    python3 torchfile_kinds.py      writes torchfile/kinds/*.pt and, with every tensor that they must give under
                                    FILE/NAME, torchfile/kinds.safetensors beside this script

Needs torch, numpy, omegaconf and safetensors; their versions are in the metadata of the latter. The names come from
what torch.load returns, by the rule in the documentation of torchfile.File.Names.
"""

import argparse
import collections
import datetime
import decimal
import enum
import os
import pathlib
import sys
import uuid

sys.path.pop(0)  # the script safetensors.py beside this one is not the module
import numpy
import omegaconf
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torchfile")
VERSIONS = {"made by": f"torch {torch.__version__}, numpy {numpy.__version__}, omegaconf {omegaconf.__version__}, "
                       f"safetensors {safetensors.__version__}"}


def recipe(seed, *shape):
    """Multiples of 1/8 from -6.25 to 6.25: exact in every float type but those of 8 bits."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 37 + seed) % 101 - 50).to(torch.float32) / 8).reshape(shape)


# Old files have the source of a model's classes in them, and its path: here a word instead.
torch.serialization.get_source_lines_and_file = lambda c: ([f"class {c.__name__}: …"], 1, "source.py")

# Pickles name these classes by a module "model".
SOURCE = '''
class Subclass(torch.Tensor):
    pass


class Config(dict):
    """Like EasyDict: its items are its attributes too."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.__dict__[key] = value


class Ordered(collections.OrderedDict):
    pass


class Mode(enum.Enum):
    FAST = 1


Pair = collections.namedtuple("Pair", "first second", module="model")


class Slots:
    __slots__ = ("weight", "__dict__")


class Block(nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.weight = nn.Parameter(recipe(seed, 2, 3))
        self.register_parameter("bias", None)
        self.register_buffer("mean", recipe(seed + 1, 2))
        self.register_buffer("grid", recipe(seed + 2, 2), persistent=False)
        self.plain = recipe(seed + 3, 2)

    def forward(self, x):
        return x @ self.weight.t() + self.mean


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(1), Block(5)])
        self.tied = self.blocks[0]
        self.list = nn.ParameterList([recipe(9, 2), recipe(10, 2)])
        self.scale = nn.Parameter(recipe(11, 1))
        self.mode, self.where, self.steps = Mode.FAST, pathlib.PurePosixPath("a/b"), numpy.int64(3)

    def forward(self, x):
        for block in self.blocks:
            x = block(x).repeat(1, 2)[:, :3]
        return x * self.scale
'''


def classes():
    module = sys.modules["model"] = type(sys)("model")
    module.__dict__.update(torch=torch, nn=nn, collections=collections, enum=enum, numpy=numpy, pathlib=pathlib,
                           recipe=recipe)
    exec(compile(SOURCE, "model.py", "exec"), module.__dict__)
    return module


UNREAD = (torch.sparse_coo, torch.sparse_csr)


def readable(t):
    return t.layout not in UNREAD and not t.is_quantized and not t.is_meta and not t.is_nested and not t.is_neg() \
        and not t.is_conj()


def paths(obj, path=(), seen=None):
    """Yields (path, tensor) for every tensor that a file of obj must give."""
    seen = set() if seen is None else seen
    items = ()
    if isinstance(obj, torch.Tensor):
        if readable(obj):
            yield path or ("tensor",), obj
        return
    if isinstance(obj, nn.Module):
        for name, t in obj.state_dict().items():
            yield path + (name,), t
        return
    if isinstance(obj, dict):
        items = obj.items()
    elif isinstance(obj, (list, tuple, collections.deque)):
        items = enumerate(obj)
    elif isinstance(obj, (set, frozenset)):
        items = enumerate(obj) if len(obj) == 1 else ()
    elif hasattr(obj, "__dict__") and not isinstance(obj, (type, enum.Enum)) and id(obj) not in seen:
        seen.add(id(obj))
        items = [*vars(obj).items(), *((k, getattr(obj, k)) for k in getattr(obj, "__slots__", ()) if k != "__dict__")]
    for i, (key, value) in enumerate(items):
        text = str(key) if isinstance(key, (str, int, float, tuple, type(None))) else f"#{i}"
        yield from paths(value, path + (text,), seen)


EXPECTED = {}


def save(name, obj, expect=None, **how):
    file = os.path.join(HERE, "kinds", name + ".pt")
    if isinstance(obj, torch.jit.ScriptModule):
        torch.jit.save(obj, file)
    else:
        torch.save(obj, file, **how)
        obj = torch.load(file, weights_only=False)
    for path, t in expect or paths(obj):
        EXPECTED[name + "/" + ".".join(path)] = t.detach().as_subclass(torch.Tensor).contiguous().clone()


def main():
    os.makedirs(os.path.join(HERE, "kinds"), exist_ok=True)
    c = classes()
    w = recipe(1, 2, 3)
    weights = collections.OrderedDict([("conv.weight", w), ("conv.bias", recipe(2, 2))])

    args = argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/a/b"), sizes=[1, 2], weight=w)
    save("namespace", {"args": args, "state_dict": weights})
    save("numpy", {"best": numpy.float64(0.5), "step": numpy.int64(3), "curve": numpy.arange(3.0), "name": numpy.str_("a"),
                   "dtype": numpy.dtype("f4"), "texts": numpy.array(["a", "b"]), "objects": numpy.array([1, "a"], object),
                   "rng": numpy.random.RandomState(1).get_state()[0], "params": weights})
    foreign = {"date": datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), "day": datetime.date(2020, 1, 2),
               "took": datetime.timedelta(1), "set": {1}, "frozen": frozenset(["a"]), "bytes": b"ab\xff",
               "array": bytearray(b"abc"), "complex": 1 + 2j, "slice": slice(1, 2), "range": range(3), "mode": c.Mode.FAST,
               "count": collections.Counter("aab"), "price": decimal.Decimal("1.5"), "id": uuid.UUID(int=7),
               "large": 1 << 80, "function": os.path.join, "class": nn.Linear, "none": None, "dots": ...,
               "device": torch.device("cpu"), "dtype": torch.float8_e4m3fn, "size": torch.Size([1, 2]),
               "relu": nn.functional.relu}
    for protocol in (1, 2, 3, 4, 5):
        save(f"foreign{protocol}", {**foreign, "model": weights}, pickle_protocol=protocol)
    save("foreign_legacy", {**foreign, "model": weights}, _use_new_zipfile_serialization=False)
    save("foreign_legacy1", {**foreign, "model": weights}, _use_new_zipfile_serialization=False, pickle_protocol=1)
    config = omegaconf.OmegaConf.create({"model": {"width": 64, "sizes": [1, 2], "mode": c.Mode.FAST}, "lr": "${model.width}"})
    save("omegaconf", {"cfg": config, "model": weights},
         expect=[(("model", k), t) for k, t in weights.items()])

    slots = c.Slots()
    slots.weight = w
    save("containers", {"default": collections.defaultdict(list, a=w), "deque": collections.deque([w, 1], 3),
                        "pair": c.Pair(1, w), "config": c.Config(), "ordered": c.Ordered(a=w), "slots": slots,
                        "set": {recipe(3, 2)}, "frozen": frozenset([recipe(4, 2)]), "list": [None, (w, {"a": w})],
                        0: w, -7: {10: w}, (0, "a"): w, True: w, None: w, 1.5: w, c.Mode.FAST: {"w": w}})
    config = c.Config()
    config["w"], config["inner"] = w, c.Config()
    config["inner"]["w"] = recipe(5, 2)
    save("config", config)
    model = c.Model()
    save("model", model)
    save("model_legacy", model, _use_new_zipfile_serialization=False)
    save("models", {"epoch": 1, "model": nn.DataParallel(model), "ema": {"net": model}})
    save("tensor", w.t())
    save("list", [w, recipe(2, 2)])

    adam = torch.optim.Adam(model.parameters())
    model(recipe(3, 1, 3)).sum().backward()
    adam.step()
    save("optimizer", {"optimizer": adam.state_dict(), "model": model.state_dict(),
                       "scheduler": torch.optim.lr_scheduler.StepLR(adam, 1).state_dict()})
    save("optimizer_object", {"model": weights, "optimizer": adam})

    kept = nn.Parameter(w.clone())
    kept.note = "a"
    noted = w.clone()
    noted.note = [1]
    save("subclasses", {"subclass": w.as_subclass(c.Subclass), "parameter": nn.Parameter(w), "state": kept, "noted": noted,
                        "buffer": nn.Buffer(w.clone()), "module": nn.UninitializedParameter})
    save("unread", {"sparse": w.to_sparse(), "rows": w.to_sparse_csr(), "meta": torch.empty(2, device="meta"),
                    "quantized": torch.quantize_per_tensor(w, 0.125, 0, torch.qint8),
                    "channels": torch.quantize_per_channel(w, torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8),
                    "nested": torch.nested.nested_tensor([w, w]), "negative": torch.tensor([1 + 2j]).conj().imag,
                    "conjugate": torch.tensor([1 + 2j]).conj(), "w": w})
    floats8 = [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz]
    types = {str(d).split(".")[1]: recipe(6, 3).to(d) for d in
             floats8 + [torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int16, torch.int32, torch.int64,
                        torch.uint8, torch.bool, torch.complex64]}
    types |= {str(d).split(".")[1]: torch.arange(3).to(d) for d in (torch.uint16, torch.uint32, torch.uint64)}
    big = recipe(7, 4, 3)
    types |= {"half_columns": big.half()[:, 1], "tied": big[1], "tied_too": big[1], "storage": recipe(8, 3).untyped_storage(),
              "rows": recipe(9, 4, 3).to(torch.float8_e5m2)[::2]}
    save("types", types)

    def scripted(change, name):
        with torch.no_grad():
            s = torch.jit.script(nn.Sequential(collections.OrderedDict(conv=nn.Conv2d(1, 2, 3), act=nn.ReLU())).eval())
            for i, p in enumerate(s.parameters()):
                p.copy_(recipe(i, *p.shape))
            want = [(("constants", str(i)), p.clone()) for i, p in enumerate(s.parameters())]
            save(name, change(s), expect=want)

    scripted(torch.jit.freeze, "frozen")

    save_file(EXPECTED, os.path.join(HERE, "kinds.safetensors"), metadata=VERSIONS)


main()
