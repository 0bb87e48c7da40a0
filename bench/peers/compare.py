"""Runs Hone and its peers in turn on the same weights, and writes the table of ratios.

    python compare.py --hone ../../build/hone            everything, about half an hour
    python compare.py --models minilm --rounds 3         a quick look
    python compare.py --hone none                        the peers alone
    python compare.py --hold avx2                        as if the CPU had AVX2 and no VNNI

See README.md for what is measured and how.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import held
import machine
import texts
from engines import Hone, Peer
from report import markdown

HERE = Path(__file__).resolve().parent
PEERS = {"ort-f32": "ort-f32.onnx", "ov-f32": "ov-f32.xml", "ovstatic-f32": "ov-f32.xml",
         "ort-int8": "ort-int8.onnx", "ov-int8": "ov-int8.xml", "ovstatic-int8": "ov-int8.xml"}
HONE = ["hone-f32", "hone-int8", "hone-int4"]
LENGTHS = [16, 128, 384]
LOADS = 5


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hone", default=str(HERE.parents[1] / "build/hone"),
                        help="the program to measure, or none")
    parser.add_argument("--models", default="minilm,bert-base")
    parser.add_argument("--engines", default=",".join([*PEERS, *HONE]))
    parser.add_argument("--cases", default="fixed,batch,load")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.5, help="a case's share of a turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scratch", type=Path, default=HERE.parents[1] / "build/peers",
                        help="where the peers' models are built, once")
    parser.add_argument("--data", type=Path, default=texts.default_data())
    parser.add_argument("--hold", choices=["avx2"],
                        help="hold Hone and the peers to AVX2 without VNNI (held.py)")
    parser.add_argument("--kind", help="the name of this kind of CPU")
    parser.add_argument("--out", type=Path, default=None,
                        help="folder for benchmarks-<kind>.md and .json (default: the scratch folder)")
    args = parser.parse_args()
    args.kind = args.kind or machine.kind()
    args.environment = {}
    if args.hold:
        os.environ["HONE_ISA"] = args.hold  # for Hone, and for machine.py here and in build.py
        args.kind += f"-held-to-{args.hold}"
        args.scratch = args.scratch / f"held-to-{args.hold}"
        args.environment = held.environment(args.scratch / "libraries")
    return args


def build(model: str, args: argparse.Namespace) -> Path:
    folder = args.scratch / model
    if not (folder / "build.json").exists():
        print(f"building the peers' models of {model} (minutes)", file=sys.stderr)
        subprocess.run([sys.executable, HERE / "build.py", model, folder, "--data", args.data],
                       env={**os.environ, **args.environment}, check=True,
                       stdout=subprocess.DEVNULL)
    return folder


def fixed_cases() -> dict:
    """One text of exactly so many tokens; which tokens they are changes no engine's work."""
    return {f"1×{n}": {"ids": [[101] + [2000 + i for i in range(n - 2)] + [102]]} for n in LENGTHS}


def batch_cases(folder: Path, data: Path) -> dict:
    """Batches of natural text, "STS-B ×8 #0" and so on; the report sums those of one source."""
    limit = LENGTHS[-1]
    settings = folder / "hf/sentence_bert_config.json"
    if settings.exists():
        limit = min(limit, json.loads(settings.read_text())["max_seq_length"])
    batches = texts.natural_batches(folder / "hf/tokenizer.json", data, limit)
    return {f"{source} #{i}": batch
            for source, several in batches.items() for i, batch in enumerate(several)}


def engines_of(folder: Path, args: argparse.Namespace) -> list:
    wanted = args.engines.split(",")
    engines = [Peer(n, folder / file, args.threads, args.environment)
               for n, file in PEERS.items() if n in wanted]
    if args.hone != "none":
        if not os.access(args.hone, os.X_OK):
            sys.exit(f"compare.py: {args.hone} is not a program; build it, or say --hone none")
        engines += [Hone(n, Path(args.hone).resolve(), folder / "hf", args.threads, folder)
                    for n in HONE if n in wanted]
    return engines


def measure_turns(engines: list, cases: dict, args: argparse.Namespace) -> dict:
    """{engine: {case: [median of each round]}}; each round starts with another engine."""
    times = {e.name: {c: [] for c in cases} for e in engines}
    for round_index in range(args.rounds):
        first = round_index % len(engines)
        for engine in engines[first:] + engines[:first]:
            for case, ms in engine.turn(cases, args.seconds).items():
                times[engine.name][case].append(ms)
        print(f"round {round_index + 1} of {args.rounds}", file=sys.stderr)
    return times


def measure_loads(engines: list, cases: dict) -> dict:
    """Medians over fresh processes, in turn; the first lap only warms the file cache."""
    ids = cases["1×16"]["ids"]
    laps = [{e.name: e.load(ids) for e in engines} for _ in range(LOADS + 1)][1:]
    return {e.name: {key: statistics.median(lap[e.name][key] for lap in laps)
                     for key in laps[0][e.name]} for e in engines}


def without(word: str, engines: list) -> list:
    return [e for e in engines if word not in e.name]


def measure_model(model: str, args: argparse.Namespace) -> dict:
    folder = build(model, args)
    engines = engines_of(folder, args)
    kinds = args.cases.split(",")
    result = {"build": json.loads((folder / "build.json").read_text()), "loads": {}, "turns": {}}
    if "load" in kinds:
        result["loads"] = measure_loads(without("ovstatic", engines), fixed_cases())
    for kind, cases, chosen in [
        ("fixed", fixed_cases(), engines),
        # Padded batches are compared in int8 and int4 only; their shapes are never known beforehand.
        ("batch", batch_cases(folder, args.data), without("ovstatic", without("f32", engines))),
    ]:
        if kind not in kinds or not chosen:
            continue
        for engine in chosen:
            engine.start(fixed_cases()["1×16"]["ids"])
        for engine, by_case in measure_turns(chosen, cases, args).items():
            result["turns"].setdefault(engine, {}).update(by_case)
        for engine in chosen:
            engine.stop()
    result["facts"] = {e.name: e.facts for e in engines}
    return result


def main() -> None:
    args = parse_arguments()
    results = {
        "kind": args.kind,
        "cpu": machine.cpu_model(),
        "flags": machine.flags(),
        "threads": args.threads,
        "rounds": args.rounds,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "models": {},
    }
    out = args.out or args.scratch
    out.mkdir(parents=True, exist_ok=True)
    for model in args.models.split(","):
        print(f"measuring {model}", file=sys.stderr)
        results["models"][model] = measure_model(model, args)
        results["load_average"] = os.getloadavg()[1]  # about the threads measured, on a quiet machine
        # After every model, so that an interrupted run leaves what it has.
        (out / f"benchmarks-{args.kind}.json").write_text(json.dumps(results, indent=1) + "\n")
        (out / f"benchmarks-{args.kind}.md").write_text(markdown(results))
    print(markdown(results))


if __name__ == "__main__":
    main()
