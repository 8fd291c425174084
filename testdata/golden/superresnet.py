"""Golden vectors of SuperResNet: python3 superresnet.py writes superresnet.safetensors.

Weights are fill_weights's, the input (recipe(50)+1)/2, the target (recipe(51)+1)/2.
Stored are the activations of every stage, the loss, every parameter's gradient, the
losses of ten Adam steps and the parameters after them."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from goldens import fill_weights, recipe, save


class SuperResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1)
        self.conv2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 3, 1)

    def forward(self, x, stages):
        stages["conv1"] = h = torch.relu(self.conv1(x))
        stages["conv2"] = h = torch.relu(self.conv2(h))
        h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
        stages["mid"] = mid = torch.sigmoid(self.conv3(h))
        return mid


def psnr_loss(pred, target):
    return 1 / (-10 * torch.log10(torch.mean((pred - target) ** 2)))


torch.manual_seed(0)
model = SuperResNet()
fill_weights(model)
x = (recipe(50, 2, 3, 6, 8) + 1) / 2
target = (recipe(51, 2, 3, 12, 16) + 1) / 2
adam = torch.optim.Adam(model.parameters(), lr=0.001)

out, losses = {}, []
for step in range(10):
    stages = {}
    loss = psnr_loss(model(x, stages), target)
    adam.zero_grad()
    loss.backward()
    if step == 0:
        out.update({"stage/" + k: v for k, v in stages.items()})
        out.update({"grad/" + k: p.grad.clone() for k, p in model.named_parameters()})
    losses.append(loss.item())
    adam.step()
out["losses"] = torch.tensor(losses)
out.update({"after/" + k: p for k, p in model.named_parameters()})
save("superresnet", out)
