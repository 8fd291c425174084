"""Golden vectors of nn/optim: python3 optim.py writes optim.safetensors.

schedule/NAME holds the learning rates of steps 1, 2, … The gradients that are clipped
are recipe(j), j = 0, 1, 2, of the shapes below; clip/NAME/norm is the norm that was
found, clip/NAME/gJ what they became. train/after is a parameter after steps of Adam
with a schedule and clipping."""
import math

import torch
from torch.optim import lr_scheduler as lrs

from goldens import recipe, save

LR, STEPS, WARM = 0.1, 23, 7
SCHEDULES = {
    "constant": [],
    "cosine": [lambda o: lrs.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.01)],
    "step": [lambda o: lrs.StepLR(o, step_size=5, gamma=0.3)],
    "constant, warm-up": [lambda o: lrs.LinearLR(o, start_factor=1 / WARM, total_iters=WARM - 1)],
    "cosine, warm-up": [
        lambda o: lrs.CosineAnnealingLR(o, T_max=STEPS),
        lambda o: lrs.LinearLR(o, start_factor=1 / WARM, total_iters=WARM - 1),
    ],
    "step, warm-up": [
        lambda o: lrs.StepLR(o, step_size=5, gamma=0.3),
        lambda o: lrs.LinearLR(o, start_factor=1 / WARM, total_iters=WARM - 1),
    ],
}
SHAPES = (5, 3, 3), (7,), (1,)
CLIPS = {"long": (1.5, None), "short": (100, None), "NaN": (1.5, math.nan), "infinity": (1.5, math.inf)}

out = {}
for name, makers in SCHEDULES.items():
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=LR)
    schedulers = [make(adam) for make in makers]
    rates = []
    for _ in range(STEPS):
        rates.append(adam.param_groups[0]["lr"])
        adam.step()
        for s in schedulers:
            s.step()
    out["schedule/" + name] = torch.tensor(rates)

for name, (most, special) in CLIPS.items():
    parameters = [torch.zeros(s, requires_grad=True) for s in SHAPES]
    for j, p in enumerate(parameters):
        p.grad = recipe(j, *p.shape)
    if special is not None:
        parameters[1].grad[3] = special
    out[f"clip/{name}/norm"] = torch.nn.utils.clip_grad_norm_(parameters, most).reshape(1)
    for j, p in enumerate(parameters):
        out[f"clip/{name}/g{j}"] = p.grad

p = recipe(0, 40).requires_grad_()
adam = torch.optim.Adam([p], lr=LR)
schedulers = [make(adam) for make in SCHEDULES["cosine, warm-up"]]
norms = []
for _ in range(STEPS):
    adam.zero_grad()
    torch.nn.functional.mse_loss(p, recipe(1, 40)).backward()
    norms.append(torch.nn.utils.clip_grad_norm_([p], 0.15))
    adam.step()
    for s in schedulers:
        s.step()
out["train/norms"] = torch.stack(norms)
out["train/after"] = p
save("optim", out)
