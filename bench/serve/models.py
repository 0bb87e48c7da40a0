"""The three models that overload.py and simulate_vs_real.py serve, made in seconds and without training.

    embed    a ladder of three rungs: MiniLM-L6 in int8 with all, three and one of its layers
    search   MiniLM-L6 in int8, plain
    intent   the demo's assistant (demo/assistant), plain

The embed ladder drops layers and repairs nothing, so its lower rungs are worse than those that
`hone compress` makes for the same time; but its latencies are real, and so are its accuracies, measured on
STS-B. A ladder of hone compress takes its place with --ladder.
"""

import argparse
import json
import shutil
import struct
import subprocess
from pathlib import Path

import serving
import texts  # of bench/peers, by way of serving

LAYERS = {"six": [0, 1, 2, 3, 4, 5], "three": [0, 2, 5], "one": [0]}
STSB = "glue/STS-B"


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ladder", type=Path, help="a ladder of embedding models for `embed`")
    parser.add_argument("--assistant", type=Path, default=serving.ROOT / "demo/assistant")
    parser.add_argument("--data", type=Path, default=texts.default_data())


def of_layers(source: Path, out: Path, keep: list) -> None:
    """`source` (a BERT checkpoint of safetensors) with only those layers, renumbered."""
    out.mkdir(parents=True)
    for file in source.iterdir():
        if file.name != "model.safetensors" and not file.name.startswith("."):
            (shutil.copytree if file.is_dir() else shutil.copy)(file, out / file.name)
    config = json.loads((source / "config.json").read_text())
    config["num_hidden_layers"] = len(keep)
    (out / "config.json").write_text(json.dumps(config, indent=1))
    data = (source / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    kept, parts, at = {}, [], 0
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        words = name.split(".")
        if "layer" in words:
            number = words.index("layer") + 1
            if int(words[number]) not in keep:
                continue
            words[number] = str(keep.index(int(words[number])))
        begin, end = tensor["data_offsets"]
        parts.append(data[8 + size + begin:8 + size + end])
        kept[".".join(words)] = {**tensor, "data_offsets": [at, at + end - begin]}
        at += end - begin
    text = json.dumps(kept).encode()
    text += b" " * (-len(text) % 8)
    (out / "model.safetensors").write_bytes(b"".join([struct.pack("<Q", len(text)), text, *parts]))


def hone_json(args: argparse.Namespace, *command) -> dict:
    done = subprocess.run([str(args.hone), *map(str, command), "-o", "json"], capture_output=True,
                          text=True)
    if done.returncode != 0:
        serving.fail(f"hone {command[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[0])


def rung(args: argparse.Namespace, directory: Path, dev: Path, dense_p50: float) -> dict:
    bench = hone_json(args, "bench", "-m", directory, "-s", 16, "-t", args.threads, "--seconds", 0.5)
    found = hone_json(args, "eval", "-m", directory, "--task", "stsb", "--data", dev, "-b", 16)
    score = found["metrics"]["spearman"]
    metric = {"name": "spearman", "value": score, "low": score, "high": score}
    return {"path": directory.name, "recipe": "layers dropped", "recipe_text": "",
            "target": {"speedup": 1}, "speedup": dense_p50 / bench["p50_ms"] if dense_p50 else 1,
            "format": "int8", "latency": {k: bench[k] for k in ["p50_ms", "p95_ms", "p99_ms"]},
            "metric": metric, "parameters": 0,
            "size_bytes": (directory / "model.safetensors").stat().st_size, "width": 384,
            "layers": [], "operations": [], "changed_count": 0, "changed": []}


def ladder(args: argparse.Namespace) -> Path:
    out = args.scratch / "ladder"
    if (out / "hone.json").exists():
        return out
    dev = next((p for p in sorted((args.data / STSB).glob("*dev*"))), None)
    if dev is None:
        serving.fail(f"{args.data / STSB} has no dev file to measure the rungs by (--data)")
    shutil.rmtree(out, ignore_errors=True)
    rungs = []
    for name, keep in LAYERS.items():
        whole = args.scratch / f"layers-{name}"
        shutil.rmtree(whole, ignore_errors=True)
        of_layers(args.minilm, whole, keep)
        out.mkdir(exist_ok=True)
        subprocess.run([args.hone, "quantize", "-m", whole, "--type", "int8", "--out", out / name],
                       check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(whole)
        rungs.append(rung(args, out / name, dev, rungs[0]["latency"]["p50_ms"] if rungs else 0))
        serving.say(f"rung {name}: {rungs[-1]['latency']['p50_ms']:.3f} ms, "
                    f"STS-B {rungs[-1]['metric']['value']:.4f}")
    device = {"processor": serving.machine.cpu_model(), "isa": "", "threads": args.threads,
              "batch": 1, "tokens": {"mean": 16, "low": 16, "high": 16, "lengths": [16]},
              "predicted": False}
    # Last: its presence says that the ladder is complete.
    (out / "hone.json").write_text(json.dumps({
        "schema": 1, "kind": "ladder", "tool": "bench/serve", "task": "stsb", "source": "minilm",
        "device": device, "dev_examples": 0, "dense": rungs[0], "rungs": rungs, "points": [],
        "files": {}}))
    return out


def three(args: argparse.Namespace) -> tuple:
    """Directories by name, and the streams that ask them, with their deadlines."""
    args.scratch.mkdir(parents=True, exist_ok=True)
    directories = {"embed": args.ladder or ladder(args), "search": serving.minilm_int8(args),
                   "intent": args.assistant}
    streams = [
        {"model": "embed", "route": "/embed", "rate": "5", "deadline": "50ms"},
        {"model": "search", "route": "/embed", "rate": "2", "deadline": "150ms"},
        {"model": "intent", "route": "/v1/hone/tag", "rate": "3", "deadline": "20ms"},
    ]
    return directories, streams
