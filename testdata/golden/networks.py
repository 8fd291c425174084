"""Golden vectors of published networks: python3 networks.py writes networks.safetensors and networks.pth.

The networks are those of spandrel (a package of Python), small, with the weights of fill_weights. The picture is
(recipe(70)+1)/2, the gradient of the result recipe(71). Stored are the result, every parameter's gradient and the
picture's, of large tensors every k-th number, with their norm; and in the metadata the names of the tensors in a state
dict. networks.pth is what training leaves: the weights of "compact file" as params_ema, and others beside them."""
import os
import sys

import torch

here = sys.path.pop(0)  # the script safetensors.py beside this one is not the module
import spandrel
from spandrel import ModelLoader
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

sys.path.insert(0, here)
from goldens import fill_weights, recipe, sample, save


def compact(channels, features, convs, scale, act="prelu"):
    return Compact(num_in_ch=channels, num_out_ch=channels, num_feat=features, num_conv=convs, upscale=scale, act_type=act)


def rrdb(channels, features, blocks, doublings, unshuffle=None):
    return ESRGAN(in_nc=channels * (unshuffle or 1) ** 2, out_nc=channels, num_filters=features, num_blocks=blocks,
                  scale=2**doublings, shuffle_factor=unshuffle)


CASES = {
    "compact x4": (compact(3, 16, 2, 4), (2, 3, 35, 51)),
    "compact x2": (compact(3, 16, 1, 2), (1, 3, 101, 67)),
    "compact x3 of luma": (compact(1, 6, 3, 3), (1, 1, 8, 5)),
    "compact x1": (compact(3, 5, 0, 1), (1, 3, 1, 1)),
    "compact relu": (compact(3, 8, 1, 2, "relu"), (1, 3, 7, 6)),
    "compact leakyrelu": (compact(3, 8, 1, 2, "leakyrelu"), (1, 3, 7, 6)),
    "rrdb x4": (rrdb(3, 16, 2, 2), (1, 3, 35, 51)),
    "rrdb x2plus": (rrdb(3, 16, 1, 2, 2), (2, 3, 35, 51)),
    "rrdb x2plus even": (rrdb(3, 8, 1, 2, 2), (1, 3, 6, 8)),
    "rrdb x1 unshuffled": (rrdb(3, 8, 1, 2, 4), (1, 3, 9, 6)),
    "rrdb x2": (rrdb(3, 8, 1, 1), (1, 3, 5, 4)),
    "rrdb x8 of luma": (rrdb(1, 4, 1, 3), (1, 1, 3, 5)),
}

out, names = {}, {}
for name, (model, shape) in CASES.items():
    fill_weights(model)
    state = model.state_dict()
    x = ((recipe(70, *shape) + 1) / 2).requires_grad_()
    y = model(x)
    if "relu" not in name:  # what spandrel makes of the tensors alone
        found = ModelLoader().load_from_state_dict(dict(state))
        assert found.scale * shape[2] == y.shape[2] and found.input_channels == shape[1], name
        assert torch.equal(found.model(x), y), name
    y.backward(recipe(71, *y.shape))
    sample(out, name + "/y", y)
    sample(out, name + "/dx", x.grad)
    for i, (k, p) in enumerate(model.named_parameters()):
        sample(out, f"{name}/d{i}", p.grad, 200)
    names["names of " + name] = " ".join(k for k, _ in model.named_parameters())
    assert set(state) == {k for k, _ in model.named_parameters()}, name
save("networks", out, spandrel=spandrel.__version__ if hasattr(spandrel, "__version__") else "", **names)

ema, last = compact(3, 4, 1, 2), compact(3, 4, 1, 2)
fill_weights(ema)
fill_weights(last, 500)
torch.save({"params": last.state_dict(), "params_ema": ema.state_dict()}, os.path.join(here, "networks.pth"))
