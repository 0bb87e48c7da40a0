"""Hone beside ONNX Runtime behind FastAPI: the same models, cores, arrivals and deadlines.

    python peer.py                                  all-MiniLM-L6-v2
    python peer.py --models minilm,bert-base

It runs in an environment with requirements.txt. The peer's models come from bench/peers/build.py (ONNX
Runtime, fused and dynamically quantised to int8); Hone serves `hone quantize --type int8` of the same
directories. The peer is measured in each style of fastapi_server.py, and its best figure counts. Rates
are shares of Hone's saturating rate, arrivals Poisson.

Goal: ≥ 3 × the requests in time of the same arrivals. Below what the peer can do both answer everything,
so two comparisons are made: at the highest rate, and each server at the rate that suits it best.
"""

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import serving

STYLES = ["threadpool", "async", "workers"]
DEADLINES = {"minilm": "50ms", "bert-base": "200ms"}
SHARES = {"minilm": "3", "bert-base": "1"}
RATES = [0.3, 0.6, 1, 1.5, 2.5]  # times Hone's saturating rate
BUILD = """
import sys; from pathlib import Path; import build
out = Path(sys.argv[2]); (out / "hf").mkdir(parents=True, exist_ok=True)
build.write_directory(sys.argv[1], out / "hf")
build.build_onnxruntime(build.load(out / "hf", "eager"), out)
"""


def folder_of(args, model: str) -> Path:
    """The peer's model, built once; also where compare.py of bench/peers has built it."""
    shared = serving.ROOT / "build/peers" / model
    if (shared / "ort-int8.onnx").exists():
        return shared
    out = args.scratch / "peers" / model
    if not (out / "ort-int8.onnx").exists():
        serving.say(f"building ONNX Runtime's {model} (a minute)")
        subprocess.run([args.python, "-c", BUILD, model, out], check=True, stdout=subprocess.DEVNULL,
                       cwd=serving.HERE.parent / "peers", env={**os.environ, "HF_HUB_OFFLINE": "1"})
    return out


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peer(args, style: str, folders: dict) -> serving.Server:
    port = free_port()
    command = [args.python, serving.HERE / "fastapi_server.py", "--port", port, "--threads",
               args.threads, "--style", style, *[f"{m}={f}" for m, f in folders.items()]]
    return serving.Server(command, log=args.scratch / f"peer-{style}.log",
                          url=f"http://127.0.0.1:{port}")


def vector(url: str, model: str) -> list:
    body = serving.json.dumps({"inputs": "the same text for both", "model": model}).encode()
    request = urllib.request.Request(url + "/embed", body, {"Content-Type": "application/json"})
    return serving.json.load(urllib.request.urlopen(request, timeout=10))[0]


def check_same(ours: dict, theirs: dict) -> None:
    """Both are int8 of the same weights, rounded in their own ways: close, not equal."""
    for model, a in ours.items():
        b = theirs[model]
        dot = sum(x * y for x, y in zip(a, b))
        norms = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
        if len(a) != len(b) or dot / norms < 0.95:
            serving.fail(f"{model}: the servers' vectors are not of the same model ({dot / norms:.3f})")


def measure(args, name: str, server, streams: list, rates: list) -> list:
    rows = []
    serving.load(args, server.url, serving.scaled(streams, rates[0] / 2), duration="1s")
    for rate in rates:
        row = serving.load(args, server.url, serving.scaled(streams, rate),
                           duration=f"{args.seconds}s")["total"]
        rows.append({"server": name, "rate": round(rate), "sent": row["sent"], "in time": row["ok"],
                     "late": row["late"], "refused": row["refused"], "errors": row["errors"],
                     "in time/s": row["goodput_per_s"], "p50_ms": row["p50_ms"],
                     "p99_ms": row["p99_ms"]})
    return rows


def main() -> None:
    parser = serving.parser(__doc__)
    parser.add_argument("--models", default="minilm")
    parser.add_argument("--styles", default=",".join(STYLES))
    parser.add_argument("--python", default=sys.executable, help="of the environment with FastAPI")
    parser.add_argument("--seconds", type=float, default=4)
    args = parser.parse_args()
    serving.begin(args)
    args.scratch.mkdir(parents=True, exist_ok=True)
    names = args.models.split(",")
    folders = {m: folder_of(args, m) for m in names}
    ours = {m: serving.quantized(args, folders[m] / "hf", f"{m}-int8-peer") for m in names}
    streams = [{"model": m, "route": "/embed", "rate": SHARES[m], "deadline": DEADLINES[m]}
               for m in names]
    with serving.serve(args, ours) as server:
        saturating = serving.saturation(args, server.url, streams)
        rates = [saturating * share for share in RATES]
        hone = measure(args, "hone", server, streams, rates)
        vectors = {m: vector(server.url, m) for m in names}
    theirs = []
    for style in args.styles.split(","):
        with peer(args, style, folders) as server:
            check_same(vectors, {m: vector(server.url, m) for m in names})
            theirs += measure(args, style, server, streams, rates)
    at_rate = []
    for ours_now in hone:
        best = max((r for r in theirs if r["rate"] == ours_now["rate"]), key=lambda r: r["in time"])
        at_rate.append({"rate": ours_now["rate"], "hone in time": ours_now["in time"],
                        "peer in time": best["in time"], "best style": best["server"],
                        "ratio": ours_now["in time"] / max(1, best["in time"])})
    best_of_all = max(r["in time/s"] for r in hone) / max(1e-9, *(r["in time/s"] for r in theirs))
    overloaded = at_rate[-1]["ratio"]
    serving.say(serving.table(hone + theirs) + "\n")
    serving.report("peer", at_rate, {
        "saturating_per_s": saturating, "rows": hone + theirs, "at_rate": at_rate,
        "best_of_all_rates": best_of_all}, {
        f"{RATES[-1]} × the saturating rate: ≥ 3 × the requests in time": (overloaded, overloaded >= 3),
        "each server at its best rate: ≥ 3 × the requests in time": (best_of_all, best_of_all >= 3)})


if __name__ == "__main__":
    main()
