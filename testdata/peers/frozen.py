"""The frozen networks in plain PyTorch: VGG16, and the towers of CLIP ViT-B/32. Parameters
have the names and the order that they have in torchvision and in OpenAI's code."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class VGG16(nn.Module):
    """For pictures of 224×224 the pooling before torchvision's classifier changes nothing, and without
    training neither does its dropout: both are left out."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for stage in [64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3:
            for width in stage:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.ModuleDict({
            "0": nn.Linear(512 * 7 * 7, 4096),
            "3": nn.Linear(4096, 4096),
            "6": nn.Linear(4096, 1000),
        })

    def forward(self, x):
        x = self.features(x).flatten(1)
        for name in "0", "3":
            x = torch.relu_(self.classifier[name](x))
        return self.classifier["6"](x)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x, mask):
        n, tokens, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q / math.sqrt(width // self.heads)) @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores + mask
        y = scores.softmax(-1) @ v
        return self.out_proj(y.transpose(1, 2).reshape(n, tokens, width))


class Block(nn.Module):
    """Normalises before each of its two halves, and adds what they make to what went in."""

    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x, mask=None):
        x = x + self.attn(self.ln_1(x), mask)
        h = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](h * torch.sigmoid(1.702 * h))  # QuickGELU


class Transformer(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class ImageTower(nn.Module):
    """(n,3,224,224) → (n,512)."""

    def __init__(self, width=768, patch=32, side=224, embed=512):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((side // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, width // 64, 12)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, embed))

    def forward(self, x):
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(x), 1, -1)
        tokens = torch.cat([first, patches], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(tokens))[:, 0]) @ self.proj


class ViTB32(nn.Module):
    """The image tower under the prefix that it has in CLIP's weight files."""

    def __init__(self):
        super().__init__()
        self.visual = ImageTower()

    def forward(self, x):
        return self.visual(x)
