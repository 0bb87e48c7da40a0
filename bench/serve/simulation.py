"""`hone simulate` over the latency tables that a server has kept."""

import json
import subprocess

import serving


def tables_of(args, names: list) -> dict:
    """The files of tables, by model."""
    found = {}
    for path in (args.scratch / "tables").glob("*.json"):
        found[json.loads(path.read_text())["model"]] = path
    for name in names:
        if name not in found:
            serving.fail(f"the server kept no latency tables of {name}")
    return found


def simulate(args, streams: list, tables: dict, split: str, seconds: float, *flags) -> dict:
    """The row of all models together. Streams as serving.load has them; without a split it follows the load."""
    executors = ["--split", split] if split else ["--cores", args.threads]
    command = [args.hone, "simulate", *executors, "--duration", f"{seconds}s", "--seed", args.seed,
               "-o", "json", *flags]
    for stream in streams:
        command += ["--models", tables[stream["model"]]]
        for flag in ["rate", "arrivals", "deadline"]:
            if flag in stream:
                command += [f"--{flag}", stream[flag]]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        serving.fail(f"hone simulate: {done.stderr.strip()}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return next(r for r in rows if r["model"] == "all" or len(streams) == 1)


def split_of(server) -> str:
    """The server's executors, as --split wants them."""
    return ",".join(map(str, serving.get_json(server.url + "/v1/hone/models")["executors"]))
