"""Measures a ladder's rungs against ONNX Runtime dynamic int8 of the dense model it came from.

    python ladder.py --hone build/hone --dense sst2-dense --ladder sst2-ladder \
        --dev $HONE_TEST_DATA/glue/SST-2/dev.tsv --scratch build/peers/sst2

One text at a time, the dev set's natural lengths, two threads, tokenisation left out. The peer and every
rung take turns in one run; the table has medians over texts and their ratios. The peer's accuracy stands
beside its time, since its quantisation costs some too.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import build
import machine

TEXTS = 200  # every fourth or so of SST-2's dev set: enough for a stable median, a second a turn


def build_peer(dense: Path, scratch: Path) -> Path:
    """The dense classifier, fused and quantised as build.py does it with encoders."""
    target = scratch / "ort-int8.onnx"
    if target.exists():
        return target
    from transformers import AutoModelForSequenceClassification

    scratch.mkdir(parents=True, exist_ok=True)
    model = AutoModelForSequenceClassification.from_pretrained(dense, attn_implementation="eager")
    build.build_onnxruntime(build.OneOutput(model, "logits").eval(), scratch)
    return target


def read_dev(path: Path) -> tuple[list[str], list[int]]:
    lines = path.read_text().splitlines()
    rows = [line.split("\t") for line in lines if "\t" in line]
    rows = [row for row in rows if row[1].strip() in ("0", "1")]
    return [row[0] for row in rows], [int(row[1]) for row in rows]


class Peer:
    def __init__(self, model: Path, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # A spinning pool would take the processors from the rungs measured in between.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"])
        self.names = [i.name for i in self.session.get_inputs()]

    def inputs(self, ids):
        row = build.np.array([ids], build.np.int64)
        return dict(zip(self.names, [row, build.np.ones_like(row), build.np.zeros_like(row)]))

    def turn(self, rows) -> list[float]:
        """Milliseconds of each text: the middle one of three runs in a row."""
        times = []
        for ids in rows:
            inputs, runs = self.inputs(ids), []
            for _ in range(3):
                begin = time.perf_counter()
                self.session.run(None, inputs)
                runs.append((time.perf_counter() - begin) * 1e3)
            times.append(statistics.median(runs))
        return times

    def accuracy(self, rows, labels) -> float:
        right = sum(int(self.session.run(None, self.inputs(ids))[0][0].argmax()) == label
                    for ids, label in zip(rows, labels))
        return 100 * right / len(rows)


def bench(hone: Path, arguments: list[str], lengths: Path, threads: int) -> float:
    command = [str(hone), "bench", *arguments, "-b", "1", "--lengths", str(lengths), "-t",
               str(threads), "--seconds", "1", "-o", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"ladder.py: {' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[0])["p50_ms"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hone", type=Path, required=True)
    parser.add_argument("--dense", type=Path, required=True)
    parser.add_argument("--ladder", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(args.dense / "tokenizer.json"))
    tokenizer.no_padding()
    texts, labels = read_dev(args.dev)
    rows = [tokenizer.encode(text).ids for text in texts]
    peer = Peer(build_peer(args.dense, args.scratch), args.threads)
    accuracy = peer.accuracy(rows, labels)
    some = list(range(0, len(texts), max(1, len(texts) // TEXTS)))
    lengths = args.scratch / "lengths.txt"
    lengths.write_text("".join(texts[i] + "\n" for i in some))

    ladder = json.loads((args.ladder / "hone.json").read_text())
    rungs = {"dense f32": ["-m", str(args.dense), "--dtype", "f32"],
             "dense int8": ["-m", str(args.dense), "--dtype", "int8"]}
    rungs |= {r["path"]: ["-m", str(args.ladder / r["path"])] for r in ladder["rungs"]}
    times = {name: [] for name in ["ort", *rungs]}
    for _ in range(args.rounds):
        times["ort"].append(statistics.median(peer.turn([rows[i] for i in some])))
        time.sleep(0.2)
        for name, arguments in rungs.items():
            times[name].append(bench(args.hone, arguments, lengths, args.threads))
    medians = {name: statistics.median(several) for name, several in times.items()}
    metrics = {r["path"]: r["metric"] for r in ladder["rungs"]}
    print(f"{machine.cpu_model()}, {args.threads} threads, 1 text, {len(some)} of the dev set's texts, "
          f"mean {statistics.mean(len(rows[i]) for i in some):.1f} tokens\n")
    print("| model | p50 ms | × faster than ONNX Runtime int8 | × faster than own f32 | metric |")
    print("|---|---|---|---|---|")
    print(f"| ONNX Runtime, dense, dynamic int8 | {medians['ort']:.3f} | 1 | | {accuracy:.2f} |")
    for name in rungs:
        metric = metrics.get(name)
        shown = f"{metric['value']:.4g} ({metric['low']:.4g}–{metric['high']:.4g})" if metric else ""
        print(f"| {name} | {medians[name]:.3f} | {medians['ort'] / medians[name]:.2f} "
              f"| {medians['dense f32'] / medians[name]:.2f} | {shown} |")


if __name__ == "__main__":
    main()
