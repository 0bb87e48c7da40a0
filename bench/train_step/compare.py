"""Runs Hone's training step and PyTorch's in turn and prints the ratio of their fastest steps.

    cmake --build --preset release --target hone_train_step
    python bench/train_step/compare.py build/release/hone_train_step [threads] [rounds]

The Python that runs this needs torch and transformers. In turn and by the fastest step, because the
machine may have other work; both are given the same threads.
"""
import json
import pathlib
import subprocess
import sys

program = sys.argv[1]
threads = sys.argv[2] if len(sys.argv) > 2 else "2"
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
peer = [sys.executable, str(pathlib.Path(__file__).with_name("pytorch_step.py"))]


def run(command):
    out = subprocess.run(command + [threads, "15"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout.strip().splitlines()[-1])


best = {}
for _ in range(rounds):
    for name, command in (("hone", [program]), ("pytorch", peer)):
        result = run(command)
        for key, value in result.items():
            best.setdefault(name, {}).setdefault(key, value)
            best[name][key] = min(best[name][key], value)
for key in best["hone"]:
    hone, pytorch = best["hone"][key], best["pytorch"][key]
    print(f"{key:14} hone {hone:8.1f}   pytorch {pytorch:8.1f}   ratio {hone / pytorch:.2f}")
