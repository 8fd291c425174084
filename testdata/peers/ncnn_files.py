"""The networks that enlarge pictures as ncnn's files. ncnn's own converter, pnnx, needs more than five minutes for
rrdb."""
import numpy as np
import torch.nn as nn

from enlargers import Compact, Fast, RRDBNet


class Files:
    """A network: layers in order, and their weights."""

    def __init__(self):
        self.layers = [("Input", [], "in0", "")]
        self.weights = []

    def add(self, kind, inputs, parameters="", name=None):
        name = name or f"blob{len(self.layers)}"
        self.layers.append((kind, list(inputs), name, parameters))
        return name

    def store(self, tensor, tagged):
        if tagged:  # with the type of the numbers: float32
            self.weights.append(np.zeros(1, np.uint32).tobytes())
        self.weights.append(tensor.detach().numpy().astype("<f4").tobytes())

    def conv(self, x, c, slope=None, name=None):
        parameters = f"0={c.out_channels} 1=3 4=1 5=1 6={c.weight.numel()}"
        if slope is not None:
            parameters += f" 9=2 -23310=1,{slope}"
        self.store(c.weight, True)
        self.store(c.bias, False)
        return self.add("Convolution", [x], parameters, name)

    def prelu(self, x, p):
        self.store(p.weight, False)
        return self.add("PReLU", [x], f"0={p.weight.numel()}")

    def sum(self, x, factor, y):
        """factor·x + y."""
        return self.add("Eltwise", [x, y], f"0=1 -23301=2,{factor},1.0")

    def nearest(self, x, scale):
        return self.add("Interp", [x], f"0=1 1={float(scale)} 2={float(scale)}")

    def bicubic(self, x, taps):
        end = -233  # of an axis
        for axis in 1, 2:
            parts = [(1, 2), (0, 1), None, (-1, end), (-2, -1)]
            x = self.add("Concat", [x if p is None else self.add("Crop", [x], f"-23309=1,{p[0]} -23310=1,{p[1]} -23311=1,{axis}") for p in parts], f"0={axis}")
        self.store(taps, True)
        return self.add("ConvolutionDepthWise", [x], f"0={len(taps)} 1=5 6={taps.numel()} 7=3")

    def write(self, param, bin):
        """A blob has one reader only: the copies that others read come from a Split."""
        readers = {}
        for _, inputs, _, _ in self.layers:
            for x in inputs:
                readers[x] = readers.get(x, 0) + 1
        lines, blobs, read = [], 0, {}

        def line(kind, inputs, outputs, parameters):
            nonlocal blobs
            blobs += len(outputs)
            lines.append(" ".join([kind, f"layer{len(lines)}", str(len(inputs)), str(len(outputs)), *inputs, *outputs, parameters]).rstrip())

        for kind, inputs, output, parameters in self.layers:
            names = []
            for x in inputs:
                if readers[x] > 1:
                    read[x] = read.get(x, 0) + 1
                    x = f"{x}_{read[x]}"
                names.append(x)
            line(kind, names, [output], parameters)
            if readers.get(output, 0) > 1:
                line("Split", [output], [f"{output}_{i + 1}" for i in range(readers[output])], "")
        with open(param, "w") as f:
            f.write(f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n")
        with open(bin, "wb") as f:
            f.write(b"".join(self.weights))


def body(f, x, layers):
    for layer in layers:
        x = f.conv(x, layer) if isinstance(layer, nn.Conv2d) else f.prelu(x, layer)
    return x


def dense(f, x, block):
    seen = [x]
    for conv in block.convs:
        seen.append(f.conv(concat(f, seen), conv, slope=0.2))
    return f.sum(f.conv(concat(f, seen), block.last), 0.2, x)


def concat(f, inputs):
    return f.add("Concat", inputs, "0=0") if len(inputs) > 1 else inputs[0]


def write(network, param, bin):
    f = Files()
    x = "in0"
    if isinstance(network, Fast):
        y = f.add("BinaryOp", [body(f, x, network.body), f.bicubic(x, network.bicubic.taps)], "0=0")
        f.add("PixelShuffle", [y], f"0={network.scale}", "out0")
    elif isinstance(network, Compact):
        y = f.add("PixelShuffle", [body(f, x, network.body)], f"0={network.scale}")
        f.add("BinaryOp", [y, f.nearest(x, network.scale)], "0=0", "out0")
    elif isinstance(network, RRDBNet):
        first = y = f.conv(x, network.first)
        for block in network.body[:-1]:
            z = y
            for d in block.blocks:
                z = dense(f, z, d)
            y = f.sum(z, 0.2, y)
        y = f.add("BinaryOp", [f.conv(y, network.body[-1]), first], "0=0")
        for conv in network.up:
            y = f.conv(f.nearest(y, 2), conv, slope=0.2)
        f.conv(f.conv(y, network.hr, slope=0.2), network.last, name="out0")
    f.write(param, bin)
