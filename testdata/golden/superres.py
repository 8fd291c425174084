"""Golden vectors of the models: python3 superres.py writes one file for each.

Weights are fill_weights's, the input (recipe(50)+1)/2, the targets (recipe(51)+1)/2
and (recipe(52)+1)/2, the frozen networks' features those of models.features. Stored
are the activations of every stage, every parameter's gradient and the losses of ten
Adam steps; of tensors of more than 4,000 numbers every k-th, with their norm."""
import torch

from goldens import fill_weights, recipe, sample, save
from models import MODELS, features, psnr_loss

for name, make in MODELS.items():
    model = make()
    fill_weights(model)
    x = (recipe(50, 2, 3, 6, 8) + 1) / 2
    targets = [(recipe(51, 2, 3, 12, 16) + 1) / 2, (recipe(52, 2, 3, 24, 32) + 1) / 2]
    extra = features(name, recipe, 2, 6, 8)
    adam = torch.optim.Adam(model.parameters(), lr=0.001)

    out, losses = {}, []
    for step in range(10):
        model.stages = {}
        loss = sum(psnr_loss(p, t) for p, t in zip(model(x, *extra), targets))
        adam.zero_grad()
        loss.backward()
        if step == 0:
            for k, v in model.stages.items():
                sample(out, "stage/" + k, v)
            for k, p in model.named_parameters():
                sample(out, "grad/" + k, p.grad)
        losses.append(loss.item())
        adam.step()
    out["losses"] = torch.tensor(losses)
    for k, p in model.named_parameters():
        sample(out, "after/" + k, p)
    save("superres-" + name, out)
