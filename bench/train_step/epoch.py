"""Fine-tunes a model on SST-2 with Hone and with PyTorch, and prints the seconds of an epoch of each.

    python bench/train_step/epoch.py build/hone MODEL SST-2 [--threads 2] [--hone-epochs 1] [--pytorch-epochs 1]
                                     [--seed 1] [--evaluations 2] [--out DIR]

MODEL is a Hugging Face directory of the BERT family, SST-2 the folder with train.tsv and dev.tsv. The Python that
runs this needs torch and transformers. Both: AdamW at 5e-5 with warm-up and linear decay, batches of 32 sentences
of like lengths, dropout 0.1, clipping at 1, dev accuracy after each part of an epoch. PyTorch pads a batch to its
longest sentence, the usual way; Hone computes no padding. Evaluations and loading count on both sides.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

RATE, BATCH, CLIP, WARMUP, LONGEST = 5e-5, 32, 1.0, 0.1, 128
BUCKET = 50  # batches whose sentences are sorted by length together


def rows(path):
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()[1:]
    return [(text, int(label)) for text, label in (line.rsplit("\t", 1) for line in lines)]


def batches(lengths, order):
    """Indices in batches of like lengths, in random order."""
    order.shuffle(indices := list(range(len(lengths))))
    result = []
    for start in range(0, len(indices), BATCH * BUCKET):
        part = sorted(indices[start:start + BATCH * BUCKET], key=lambda i: lengths[i])
        result += [part[i:i + BATCH] for i in range(0, len(part), BATCH)]
    order.shuffle(result)
    return result


def pytorch(arguments):
    import torch
    from transformers import (AutoModelForSequenceClassification, AutoTokenizer,
                              get_linear_schedule_with_warmup)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    order = random.Random(arguments.seed)
    start = time.perf_counter()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.model, num_labels=2)

    def encoded(name):
        data = rows(pathlib.Path(arguments.data) / name)
        ids = tokenizer([text for text, _ in data], truncation=True, max_length=LONGEST)["input_ids"]
        return ids, torch.tensor([label for _, label in data])

    def padded(ids):
        longest = max(map(len, ids))
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
        return {"input_ids": tokens, "attention_mask": mask}

    def accuracy():
        model.eval()
        right = 0
        with torch.no_grad():
            for batch in batches([len(row) for row in dev[0]], random.Random(0)):
                answer = model(**padded([dev[0][i] for i in batch])).logits.argmax(-1)
                right += int((answer == dev[1][batch]).sum())
        model.train()
        return right / len(dev[0])

    train, dev = encoded("train.tsv"), encoded("dev.tsv")
    lengths = [len(row) for row in train[0]]
    per_epoch = (len(lengths) + BATCH - 1) // BATCH
    steps = int(per_epoch * arguments.pytorch_epochs)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, int(WARMUP * steps), steps)
    evaluations, step = [], 0
    model.train()
    while step < steps:
        for batch in batches(lengths, order):
            optimizer.zero_grad()
            model(**padded([train[0][i] for i in batch]), labels=train[1][batch]).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            step += 1
            k = arguments.evaluations
            if step * k // per_epoch != (step - 1) * k // per_epoch or step == steps:
                evaluations.append(accuracy())
                print(f"pytorch step {step} of {steps}: dev {evaluations[-1]:.4f}, "
                      f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
            if step == steps:
                break
    return {"seconds": time.perf_counter() - start, "best": max(evaluations)}


def hone(arguments):
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or str(pathlib.Path(scratch) / "out")
        data = pathlib.Path(arguments.data)
        command = [arguments.hone, "train", "-m", arguments.model, "--task", "sst2",
                   "--train", str(data / "train.tsv"), "--dev", str(data / "dev.tsv"), "--out", out,
                   "--epochs", str(arguments.hone_epochs), "--lr", str(RATE), "-b", str(BATCH),
                   "--clip", str(CLIP), "--warmup", str(WARMUP), "--max-tokens", str(LONGEST),
                   "--evals-per-epoch", str(arguments.evaluations), "--seed", str(arguments.seed),
                   "-t", str(arguments.threads), "-o", "json"]
        start = time.perf_counter()
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return {"seconds": time.perf_counter() - start, "best": json.loads(output)["best"]}


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("hone")
parser.add_argument("model")
parser.add_argument("data")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--hone-epochs", type=float, default=1)
parser.add_argument("--pytorch-epochs", type=float, default=1)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--evaluations", type=int, default=2, help="on dev, in an epoch")
parser.add_argument("--out", help="keep Hone's best checkpoint here")
arguments = parser.parse_args()

seconds = {}
for name, run, epochs in (("hone", hone, arguments.hone_epochs), ("pytorch", pytorch, arguments.pytorch_epochs)):
    if epochs == 0:
        continue
    result = run(arguments)
    seconds[name] = result["seconds"] / epochs
    print(f"{name:8} {seconds[name]:6.0f} s an epoch, best dev accuracy of {epochs:g} epochs {100 * result['best']:.2f}",
          flush=True)
if len(seconds) == 2:
    print(f"ratio    {seconds['hone'] / seconds['pytorch']:.2f}")
