"""Writes ../../vgg/imagenet/classes.txt, the names of ImageNet's 1,000 classes in the order
of the logits, from torchvision's list:

    python3 vgg_classes.py
"""
import os

from torchvision.models._meta import _IMAGENET_CATEGORIES as names

assert len(names) == 1000 and not any("\n" in n or n != n.strip() for n in names)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "vgg", "imagenet", "classes.txt")
with open(path, "w") as f:
    f.write("\n".join(names) + "\n")
