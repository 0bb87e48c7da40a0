#!/usr/bin/env python3
"""Loads artefacts that Hone wrote with transformers + compressed-tensors and compares their outputs.

    hone quantize -m minilm --type int8 --out minilm-int8
    hone quantize -m minilm --type int4 --out minilm-int4
    python3 tools/check_compressed_tensors.py minilm minilm-int8 minilm-int4

Needs the packages torch, transformers and compressed-tensors. For each artefact it checks that
  1. from_pretrained loads it without missing, unexpected or mismatched tensors;
  2. the modules that the artefact quantised are quantised modules there too, and no others (not where
     the artefact asks for dequantising at load, as int4 with zero points has to);
  3. every dequantised weight is what the files say: scale * (q - zero), computed here on its own;
  4. the sentence vectors (mean of the last layer) stay close to the original model's: the worst cosine
     similarity is at least that of --least for the artefact's format.
Prints one line a check, exits 1 if any fails.
"""

import argparse
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402

SENTENCES = [
    "A man is playing a large flute.",
    "The quick brown fox jumps over the lazy dog.",
    "Edge devices rarely have a graphics processor.",
    "How do I reset the trip meter of my car?",
    "The patient reports mild headaches since Tuesday morning, and no fever.",
    "Ein kurzer deutscher Satz.",
]

# Worst cosine similarity to the f32 model over the sentences above.
LEAST = {"int-quantized": 0.99, "pack-quantized": 0.95, None: 0.999}


def embed(model, tokenizer):
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return ((hidden * mask).sum(1) / mask.sum(1)).float()


def nibbles(words):
    """int32 words [R,W] to nibbles [R,8W], the lowest first."""
    shifts = torch.arange(0, 32, 4)
    return ((words.unsqueeze(-1) >> shifts) & 15).flatten(1)


def stored_weights(tensors):
    """Module name to the weight that the artefact's tensors stand for."""
    weights = {}
    for name, tensor in tensors.items():
        if name.endswith(".weight_packed"):
            module = name.removesuffix(".weight_packed")
            n, k = tensors[module + ".weight_shape"].tolist()
            scale = tensors[module + ".weight_scale"]
            group = k // scale.shape[1]
            q = nibbles(tensor)[:, :k]
            zero = tensors.get(module + ".weight_zero_point")
            zero = nibbles(zero.T.contiguous())[:, :n].T if zero is not None else torch.tensor(8)
            zero = zero.expand(scale.shape).repeat_interleave(group, 1)
            weights[module] = scale.repeat_interleave(group, 1) * (q - zero)
        elif name.endswith(".weight") and tensor.dtype == torch.int8:
            module = name.removesuffix(".weight")
            weights[module] = tensors[module + ".weight_scale"] * tensor
    return weights


def check(original, artefact, least):
    with open(os.path.join(artefact, "config.json"), encoding="utf-8") as file:
        quantization = json.load(file).get("quantization_config")
    form = quantization["format"] if quantization else None
    dense = bool(quantization and quantization.get("dequantize"))
    results = []

    model, info = AutoModel.from_pretrained(artefact, output_loading_info=True)
    model.eval()
    wrong = {kind: sorted(map(str, names)) for kind, names in info.items() if names}
    # A pooler that the checkpoint lacks is transformers' own addition.
    wrong = {
        kind: left
        for kind, names in wrong.items()
        if (left := [name for name in names if not name.startswith("pooler.")])
    }
    results.append(("loads every tensor", not wrong, json.dumps(wrong) if wrong else ""))

    tokenizer = AutoTokenizer.from_pretrained(artefact)
    reference = AutoModel.from_pretrained(original, dtype=torch.float32).eval()
    expected, actual = embed(reference, tokenizer), embed(model, tokenizer)

    weights = stored_weights(load_file(os.path.join(artefact, "model.safetensors")))
    modules = dict(model.named_modules())
    quantized = {name for name, module in modules.items() if hasattr(module, "quantization_scheme")}
    quantized = {name for name in quantized if not name.startswith("pooler.")}
    if not dense:
        differ = sorted(quantized ^ set(weights))
        results.append((f"{len(weights)} quantised modules", not differ, " ".join(differ)))
    # The first forward pass decompressed the modules, so that they have a plain weight now.
    worst = max(
        ((modules[name].weight - weight).abs().max().item() for name, weight in weights.items()),
        default=0.0,
    )
    results.append(("weights as stored", worst <= 1e-6, f"largest difference {worst:.1e}"))

    cosine = torch.nn.functional.cosine_similarity(expected, actual).min().item()
    bound = least if least is not None else LEAST[form]
    results.append((f"cosine to f32 >= {bound}", cosine >= bound, f"worst {cosine:.5f}"))
    for what, good, detail in results:
        verdict = "ok" if good else "FAILED"
        print(f"{artefact} ({form or 'float'}): {what}: {verdict} {detail}".rstrip())
    return all(good for _, good, _ in results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("original", help="the model directory that the artefacts were made from")
    parser.add_argument("artefact", nargs="+")
    parser.add_argument("--least", type=float, help="bound on the cosine similarity for all artefacts")
    args = parser.parse_args()
    good = [check(args.original, artefact, args.least) for artefact in args.artefact]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
