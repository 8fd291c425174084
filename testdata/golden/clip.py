"""Golden vectors of CLIP: OpenAI's own model code with weights made by a recipe.

    python3 clip.py MODEL.PY [full]

writes clip.safetensors and the weight files in clip/ beside this script; with "full" also
clip_full.safetensors, embeddings of the full-size ViT-B/32, which takes a few minutes.
MODEL.PY is OpenAI's clip/model.py, as in the package clip-anytorch. Needs torch, torchvision,
Pillow, safetensors and transformers."""
import importlib.util
import io
import os
import sys
import zipfile

import numpy as np
import torch
import torch.nn as nn
import torchvision
import transformers
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

sys.path.append(sys.path.pop(0))  # the script safetensors.py beside this one is not the module
from safetensors.torch import save_file

import goldens
from resize import picture

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = dict(embed_dim=48, image_resolution=32, vision_layers=3, vision_width=128, vision_patch_size=8,
             context_length=16, vocab_size=100, transformer_width=64, transformer_heads=1, transformer_layers=2)
VIT_B_32 = dict(embed_dim=512, image_resolution=224, vision_layers=12, vision_width=768, vision_patch_size=32,
                context_length=77, vocab_size=49408, transformer_width=512, transformer_heads=8, transformer_layers=12)


def scattered(salt, *shape):
    """Numbers in [-1, 1) that look random: number i is the upper 24 bits of a hash of i and salt. goldens.recipe is too
    regular for a model of many layers: its differences between pictures would die out."""
    n = int(np.prod(shape))
    out = np.empty(n, dtype=np.float32)
    for at in range(0, n, 1 << 22):
        h = np.arange(at, min(n, at + (1 << 22)), dtype=np.uint32) * np.uint32(0x9E3779B1)
        h += np.uint32(salt * 0x85EBCA77 & 0xFFFFFFFF)
        h ^= h >> np.uint32(15)
        h *= np.uint32(0x2C1B3C6D)
        h ^= h >> np.uint32(12)
        h *= np.uint32(0x297A2D39)
        h ^= h >> np.uint32(15)
        out[at : at + len(h)] = (h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return out.reshape(shape)


def weights(shapes):
    """A state dict: tensor number i, by name, is made of scattered(i), of a size that keeps activations about 1."""
    state = {}
    for salt, name in enumerate(sorted(shapes)):
        shape = tuple(shapes[name])
        if name == "logit_scale":
            state[name] = torch.tensor(np.log(1 / 0.07), dtype=torch.float32)
            continue
        r = scattered(salt, *shape)
        if len(shape) == 1 and name.endswith(".weight"):  # of a normalisation
            r = r * np.float32(0.1) + np.float32(1)
        elif name.endswith("bias"):
            r = r * np.float32(0.1)
        elif name in ("visual.proj", "text_projection"):
            r = r * np.float32(np.sqrt(3 / shape[0]))
        elif name.endswith("weight") and name != "token_embedding.weight":
            r = r * np.float32(np.sqrt(3 / np.prod(shape[1:])))
        state[name] = torch.from_numpy(r)
    return state


def model_code(path):
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fill(model):
    model.load_state_dict(weights({n: p.shape for n, p in model.named_parameters()}))
    return model.eval()


def text(salt, length, context, vocab):
    """length tokens: a start mark, some that look random, an end mark, which is the highest; then zeros."""
    middle = [(i * 7919 + salt * 104729) % (vocab - 2) for i in range(length - 2)]
    return [vocab - 2] + middle + [vocab - 1] + [0] * (context - length)


def stages(prefix, module, wanted):
    """Hooks that keep what each block puts out, and what goes into the first: the rows that are wanted of each."""
    kept = {}
    blocks = list(module.resblocks)

    def keep(name, x, rows):
        x = x.permute(1, 0, 2)  # LND -> NLD
        kept[name] = torch.cat([x[i, r] for i, r in enumerate(rows)])

    hooks = [blocks[0].register_forward_pre_hook(lambda m, x: keep(prefix + "/embed", x[0], wanted))]
    for i, b in enumerate(blocks):
        rows = wanted if i < len(blocks) - 1 else [r[-1:] if prefix == "text" else r[:1] for r in wanted]
        hooks.append(b.register_forward_hook(lambda m, _, y, i=i, rows=rows: keep(f"{prefix}/block{i}", y, rows)))
    return kept, hooks


def small(code):
    out = {}
    model = fill(code.CLIP(**SMALL))
    x = torch.from_numpy(scattered(1000, 2, 3, 32, 32)) * 1.5
    lengths = [5, 16, 2]
    ids = torch.tensor([text(i, n, 16, 100) for i, n in enumerate(lengths)])
    vision, hooks = stages("vision", model.visual.transformer, [torch.arange(17)] * 2)
    words, more = stages("text", model.transformer, [torch.arange(n) for n in lengths])
    with torch.no_grad():
        out["vision/embedding"] = model.encode_image(x)
        out["text/embedding"] = model.encode_text(ids)
        for h in hooks + more:
            h.remove()
        out.update(vision)
        out.update(words)
        per_image, _ = model(x, ids)
        out["probabilities"] = per_image.softmax(dim=-1)
        out["cosine"] = per_image / model.logit_scale.exp()

        state = model.state_dict()
        hf = hugging_face(SMALL, state, "quick_gelu", heads=(2, 1))
        assert torch.allclose(hf.get_image_features(x), out["vision/embedding"], atol=1e-5)
        assert torch.allclose(hf.get_text_features(ids), out["text/embedding"], atol=1e-5)

        for b in list(model.visual.transformer.resblocks) + list(model.transformer.resblocks):
            b.mlp.gelu = nn.GELU()
        out["gelu/vision"] = model.encode_image(x)
        out["gelu/text"] = model.encode_text(ids)
        hf = hugging_face(SMALL, state, "gelu", heads=(2, 1))
        assert torch.allclose(hf.get_image_features(x), out["gelu/vision"], atol=1e-5)
    return out


def hugging_face(c, state, activation, heads, ratio=4, end=49407):
    """Hugging Face's CLIPModel with the same weights under its names."""
    config = transformers.CLIPConfig(
        projection_dim=c["embed_dim"],
        vision_config=dict(hidden_size=c["vision_width"], intermediate_size=ratio * c["vision_width"],
                           num_hidden_layers=c["vision_layers"], num_attention_heads=heads[0], hidden_act=activation,
                           image_size=c["image_resolution"], patch_size=c["vision_patch_size"],
                           projection_dim=c["embed_dim"]),
        text_config=dict(hidden_size=c["transformer_width"], intermediate_size=ratio * c["transformer_width"],
                         num_hidden_layers=c["transformer_layers"], num_attention_heads=heads[1], hidden_act=activation,
                         vocab_size=c["vocab_size"], eos_token_id=end, max_position_embeddings=c["context_length"],
                         projection_dim=c["embed_dim"]))
    model = transformers.CLIPModel(config).eval()
    mapped = {"logit_scale": state["logit_scale"], "visual_projection.weight": state["visual.proj"].t().contiguous(),
              "text_projection.weight": state["text_projection"].t().contiguous()}
    tower = "vision_model.embeddings."
    mapped[tower + "patch_embedding.weight"] = state["visual.conv1.weight"]
    mapped[tower + "class_embedding"] = state["visual.class_embedding"]
    mapped[tower + "position_embedding.weight"] = state["visual.positional_embedding"]
    mapped["text_model.embeddings.token_embedding.weight"] = state["token_embedding.weight"]
    mapped["text_model.embeddings.position_embedding.weight"] = state["positional_embedding"]
    inside = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1",
              "mlp.c_proj": "mlp.fc2"}
    for end in ("weight", "bias"):
        mapped["vision_model.pre_layrnorm." + end] = state["visual.ln_pre." + end]
        mapped["vision_model.post_layernorm." + end] = state["visual.ln_post." + end]
        mapped["text_model.final_layer_norm." + end] = state["ln_final." + end]
        for theirs, layers, ours in (("vision_model", c["vision_layers"], "visual.transformer.resblocks"),
                                     ("text_model", c["transformer_layers"], "transformer.resblocks")):
            for i in range(layers):
                for a, b in inside.items():
                    mapped[f"{theirs}.encoder.layers.{i}.{b}.{end}"] = state[f"{ours}.{i}.{a}.{end}"]
                for part, name in zip(state[f"{ours}.{i}.attn.in_proj_{end}"].chunk(3), "qkv"):
                    mapped[f"{theirs}.encoder.layers.{i}.self_attn.{name}_proj.{end}"] = part.clone()
    missing, unexpected = model.load_state_dict(mapped, strict=False)
    assert not unexpected and all("position_ids" in m for m in missing), (missing, unexpected)
    return model


def files(code, out):
    """Weight files of a very small model, with heads of 8 numbers, as each of the programs writes them."""
    folder = os.path.join(HERE, "clip")
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    tiny = dict(embed_dim=8, image_resolution=8, vision_layers=1, vision_width=16, vision_patch_size=4,
                context_length=8, vocab_size=40, transformer_width=16, transformer_heads=2, transformer_layers=1)
    model = code.CLIP(**{**tiny, "vision_width": 64})  # which counts heads itself, in the image tower
    model.visual = code.VisionTransformer(8, 4, 16, 1, 2, 8)
    fill(model)
    x = torch.from_numpy(scattered(1001, 2, 3, 8, 8)) * 1.5
    ids = torch.tensor([text(3, 5, 8, 40), text(4, 8, 8, 40)])
    state = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        out["tiny/vision"], out["tiny/text"] = model.encode_image(x), model.encode_text(ids)
        torch.save(state, path("openai.pt"))
        torch.save(hugging_face(tiny, state, "quick_gelu", heads=(2, 2)).state_dict(), path("pytorch_model.bin"))
        save_file(hugging_face(tiny, state, "quick_gelu", heads=(2, 2)).state_dict(), path("model.safetensors"))

        # OpenAI's archives: traced, and in half precision but for what convert_weights leaves.
        traced = torch.jit.trace(model, (x, ids))
        code.convert_weights(model)
        halves = {n for n, p in model.named_parameters() if p.dtype == torch.half}
        for n, p in traced.named_parameters():
            if n in halves:
                p.data = p.data.half()
        model.float()
        out["tiny/half/vision"], out["tiny/half/text"] = model.encode_image(x), model.encode_text(ids)
    # The archive also has the model's code, which is OpenAI's, and the names of its source files on the machine where it
    # was traced. Neither is needed to read weights.
    buffer = io.BytesIO()
    torch.jit.save(traced, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path("script.pt"), "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            if "/code/" not in name:
                new.writestr(zipfile.ZipInfo(name), old.read(name))
    for name in sorted(os.listdir(folder)):
        print(name, os.path.getsize(path(name)), "bytes")


def preprocessing(out):
    """What the transform of OpenAI's clip.load makes of pictures: every 61st number, which meets all columns."""
    transform = Compose([Resize(224, interpolation=InterpolationMode.BICUBIC), CenterCrop(224), ToTensor(),
                         Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))])
    for kind, w, h in [("smooth", 500, 375), ("noise", 375, 500), ("noise", 481, 321), ("stripes", 3, 2), ("noise", 1, 1),
                       ("noise", 224, 224), ("stripes", 225, 224), ("noise", 224, 301), ("smooth", 1, 1000),
                       ("noise", 100, 1), ("noise", 72, 72)]:
        out[f"preprocess/{kind}/{w}/{h}"] = transform(picture(kind, w, h)).flatten()[::61].contiguous()
    square = Compose([ToTensor(), *transform.transforms[3:]])
    for kind, w, h in [("noise", 72, 72), ("smooth", 288, 288), ("noise", 60, 40)]:
        out[f"square/{kind}/{w}/{h}"] = square(picture(kind, w, h).resize((224, 224), Image.BICUBIC)).flatten()[::61].contiguous()


def full(code):
    model = code.CLIP(**VIT_B_32)
    fill(model)
    with torch.no_grad():
        x = torch.from_numpy(scattered(1002, 2, 3, 224, 224)) * 1.5
        ids = torch.tensor([text(i, n, 77, 49408) for i, n in enumerate((7, 3, 77))])
        return {"vision": model.encode_image(x), "text": model.encode_text(ids)}


def main():
    print("torch", torch.__version__, "torchvision", torchvision.__version__, "transformers", transformers.__version__)
    code = model_code(sys.argv[1])
    out = small(code)
    files(code, out)
    preprocessing(out)
    goldens.save("clip", out)
    if "full" in sys.argv[2:]:
        goldens.save("clip_full", full(code))


if __name__ == "__main__":
    main()
