"""Golden vectors of CLIPs that OpenAI did not make: plain GELU, heads of other than 64 numbers, other names.

    python3 clip_others.py

writes clip_others.safetensors, and in clip_others/ the weight files of very small models, as open_clip and transformers
write them. Weights are made by the recipe of clip.py. Needs torch, open_clip and transformers."""
import os
import sys
from pathlib import Path

sys.path.append(sys.path.pop(0))  # the script safetensors.py beside this one is not the module
import open_clip
import torch
import transformers
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.push_to_hf_hub import save_config_for_hf
from safetensors.torch import save_file

import goldens
from clip import HERE, hugging_face, scattered, text, weights

# Heads of 80 numbers in the image tower, as in ViT-H/14, and of 16 in the text tower.
WIDE = dict(embed_dim=24, vision_cfg=dict(layers=2, width=160, head_width=80, patch_size=8, image_size=16, mlp_ratio=1.2),
            text_cfg=dict(context_length=8, vocab_size=40, width=48, heads=3, layers=2))
# The files: heads of 8 and of 4.
TINY = dict(embed_dim=8, vision_cfg=dict(layers=1, width=16, head_width=8, patch_size=4, image_size=8, mlp_ratio=2),
            text_cfg=dict(context_length=8, vocab_size=40, width=16, heads=4, layers=1, mlp_ratio=2))
IDS = [text(3, 5, 8, 40), text(4, 8, 8, 40)]


def fill(model, renamed=lambda n: n):
    made = weights({renamed(n): p.shape for n, p in model.named_parameters()})
    model.load_state_dict({n: made[renamed(n)] for n, _ in model.named_parameters()}, strict=False)
    return model.eval()


def outputs(out, name, model, size):
    x = torch.from_numpy(scattered(1001, 2, 3, size, size)) * 1.5
    with torch.no_grad():
        out[name + "/vision"], out[name + "/text"] = model.encode_image(x), model.encode_text(torch.tensor(IDS))


def path(*names):
    p = os.path.join(HERE, "clip_others", *names)
    os.makedirs(os.path.dirname(p), exist_ok=True)
    return p


def config(name, model_cfg):
    """open_clip_config.json, as open_clip's push_to_hf_hub writes it."""
    class Holder:
        class visual:
            image_mean, image_std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
            preprocess_cfg = dict(interpolation="bicubic", resize_mode="shortest")
    save_config_for_hf(Holder, Path(path(name, "open_clip_config.json")), model_cfg)


def main():
    print("torch", torch.__version__, "open_clip", open_clip.__version__, "transformers", transformers.__version__)
    out = {}
    outputs(out, "wide/plain", fill(CLIP(**WIDE)), 16)
    outputs(out, "wide/quick", fill(CLIP(**WIDE, quick_gelu=True)), 16)

    # A checkpoint of open_clip's training on several processors, in half precision.
    model = fill(CLIP(**TINY)).half()
    state = {"module." + k: v for k, v in model.state_dict().items()}
    outputs(out, "checkpoint", model.float(), 8)
    torch.save({"epoch": 3, "name": "2024_01_01-model_ViT-tiny-lr_0.001", "state_dict": state}, path("checkpoint", "epoch_3.pt"))
    config("checkpoint", TINY)

    # A text tower that is a part of its own, and QuickGELU.
    model = fill(CustomTextCLIP(**TINY, quick_gelu=True), lambda n: n.removeprefix("text."))
    outputs(out, "nested", model, 8)
    save_file(model.state_dict(), path("nested", "open_clip_model.safetensors"))
    config("nested", dict(TINY, quick_gelu=True, custom_text=True))

    # Hugging Face's, with an end of text that is not the highest id.
    state = fill(CLIP(**TINY)).state_dict()
    shape = dict(embed_dim=8, image_resolution=8, vision_layers=1, vision_width=16, vision_patch_size=4, context_length=8,
                 vocab_size=40, transformer_width=16, transformer_layers=1)
    model = hugging_face(shape, state, "gelu", heads=(2, 4), ratio=2, end=30)
    x = torch.from_numpy(scattered(1001, 2, 3, 8, 8)) * 1.5
    ids = torch.tensor([[38, 7, 35, 30, 30, 0, 0, 0], [38, 39, 4, 11, 2, 3, 30, 30]])
    with torch.no_grad():
        out["huggingface/vision"] = model.get_image_features(x).pooler_output
        out["huggingface/text"] = model.get_text_features(ids).pooler_output
    assert torch.allclose(out["huggingface/vision"], fill(CLIP(**TINY)).encode_image(x), atol=1e-5)
    model.save_pretrained(path("huggingface", "x")[:-2])
    goldens.save("clip_others", out, open_clip=open_clip.__version__, transformers=transformers.__version__)
    for folder, _, names in sorted(os.walk(path("x")[:-2])):
        for name in sorted(names):
            print(os.path.join(os.path.basename(folder), name), os.path.getsize(os.path.join(folder, name)), "bytes")


if __name__ == "__main__":
    main()
