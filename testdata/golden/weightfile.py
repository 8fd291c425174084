"""Golden files for tensor/weightfile: one network, as training programs save it.

    python3 weightfile.py      writes weightfile/*.pt and weightfile/plain.safetensors beside this script

Every file has the same network, whose names and values are those of plain.safetensors, in another place or under other
names; what else is in the files has other values. The wrappers are PyTorch's own. Needs torch and safetensors; their
versions are in the metadata of plain.safetensors.
"""

import copy
import os
import sys
import warnings

sys.path.pop(0)  # the script safetensors.py beside this one is not the module
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

warnings.simplefilter("ignore")
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weightfile")


def recipe(seed, *shape):
    """Multiples of 1/8 from -6.25 to 6.25: exact in every float type."""
    n = 1
    for d in shape:
        n *= d
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 37 + seed) % 101 - 50).to(torch.float32) / 8).reshape(shape)


class One(nn.Module):
    """A network with a single module in it."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 2, bias=False))


class Net(nn.Module):
    def __init__(self, seed):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.BatchNorm2d(2))
        self.classifier = nn.Linear(2, 3)
        with torch.no_grad():
            for i, p in enumerate(self.parameters()):
                p.copy_(recipe(seed + i, *p.shape))


def save(name, value, **kwargs):
    torch.save(value, os.path.join(HERE, name + ".pt"), **kwargs)


os.makedirs(HERE, exist_ok=True)
net, other = Net(1), Net(50)
sd, osd = net.state_dict(), other.state_dict()
save_file(sd, os.path.join(HERE, "plain.safetensors"),
          metadata={"made by": f"torch {torch.__version__}, safetensors {safetensors.__version__}"})

opt = torch.optim.Adam(other.parameters())
for p in other.parameters():
    p.grad = torch.ones_like(p)
opt.step()
sched = torch.optim.lr_scheduler.StepLR(opt, 10)
osd = copy.deepcopy(other.state_dict())

save("plain", sd)
save("params", {"params": sd})
save("params_ema", {"params": osd, "params_ema": sd})
save("imagenet", {"epoch": 3, "arch": "net", "state_dict": sd, "best_acc1": torch.tensor(71.5), "optimizer": opt.state_dict(),
                  "scheduler": sched.state_dict()})
save("tutorial", {"epoch": 3, "model_state_dict": sd, "optimizer_state_dict": opt.state_dict(), "loss": torch.tensor(0.25)})
save("deep", {"model": {"state_dict": sd, "step": 5}, "optimizer": opt.state_dict()})
save("config", {"model": {"name": "net", "width": 2}, "weights": sd, "rng_state": torch.get_rng_state()[:16].clone()})
save("gan", {"generator": sd, "discriminator": osd, "g_optim": opt.state_dict()})
save("lightning", {"epoch": 1, "global_step": 9, "pytorch-lightning_version": "2.5", "loops": {"fit_loop": {"best": torch.tensor(1)}},
                   "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor([0.5])}}, "hyper_parameters": {"lr": 0.1},
                   "optimizer_states": [opt.state_dict()], "lr_schedulers": [], "state_dict": {"model." + k: v for k, v in sd.items()}})
save("list", [sd])
save("data_parallel", nn.DataParallel(net).state_dict())
save("compiled", torch.compile(net).state_dict())
save("compiled_parallel", {"model": nn.DataParallel(torch.compile(net)).state_dict()})
inner = copy.deepcopy(net)
inner.features = nn.DataParallel(inner.features)
save("features_parallel", {"epoch": 1, "state_dict": inner.state_dict()})
# These two wrappers remove their names themselves in state_dict, but not in named_parameters, which some programs save.
wrapped = copy.deepcopy(net)
wrapped.features = checkpoint_wrapper(wrapped.features)
save("checkpointed", dict(wrapped.named_parameters()) | {k.replace("features.", "features._checkpoint_wrapped_module."): v for k, v in sd.items()
                                                         if "running" in k or "tracked" in k})
save("fsdp", {"_fsdp_wrapped_module." + k.replace("features.", "features._fsdp_wrapped_module."): v for k, v in sd.items()})
save("averaged", torch.optim.swa_utils.AveragedModel(net).state_dict())
save("legacy", {"state_dict": {"module." + k: v for k, v in sd.items()}, "best": torch.tensor(1.0)}, _use_new_zipfile_serialization=False)
save("module", One())
