"""What every script here needs: models, a running server, load, figures of a process, tables."""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "peers"))
import machine  # noqa: E402  (of bench/peers)


def parser(description: str) -> argparse.ArgumentParser:
    """With the flags that all scripts share."""
    made = argparse.ArgumentParser(description=description.splitlines()[0])
    made.add_argument("--hone", type=Path, default=ROOT / "build/hone")
    made.add_argument("--serve", type=Path, default=ROOT / "build/hone-serve")
    made.add_argument("--minilm", type=Path, default=ROOT / "build/models/all-MiniLM-L6-v2",
                      help="the Hugging Face directory of all-MiniLM-L6-v2")
    made.add_argument("--scratch", type=Path, default=ROOT / "build/serve",
                      help="where models are made, once")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--seed", type=int, default=1)
    return made


def fail(message: str) -> None:
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def begin(args: argparse.Namespace) -> None:
    """Checks the programs. Latency tables of earlier scripts go: they may be of a busier moment."""
    shutil.rmtree(args.scratch / "tables", ignore_errors=True)
    for program in [args.hone, args.serve]:
        if not os.access(program, os.X_OK):
            fail(f"{program} is not a program; ./dev build, or name it with --hone and --serve")


# --- the server ----------------------------------------------------------------------------------


class Server:
    """A process that listens; ended, and waited for, when the with-block ends."""

    def __init__(self, command: list, ready_path: str = "/ready", log: Path = None, url: str = None):
        self.log = log or Path(os.devnull)
        self.announced = []  # what it printed until it listened
        self.process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE,
                                        stderr=open(self.log, "w"), text=True)
        self.url = url or self._announced()
        self._wait(ready_path)

    def _announced(self) -> str:
        for line in self.process.stdout:
            self.announced.append(line)
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                return found.group(1)
        fail(f"the server ended before it listened: {self.log.read_text()[-2000:]}")

    def _wait(self, path: str) -> None:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(self.url + path, timeout=1).read()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        fail(f"the server is not ready: {self.log.read_text()[-2000:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    @property
    def pid(self) -> int:
        return self.process.pid


def serve(args: argparse.Namespace, models: dict, policy: str = "ladder", extra: list = ()) -> Server:
    """hone-serve with `models` (name to directory) on a free port; its tables are kept in scratch."""
    command = [args.serve, "serve", "--port", "0", "--policy", policy, "-t", args.threads,
               "--table-cache", args.scratch / "tables"]
    for name, directory in models.items():
        command += ["-m", f"{name}={directory}"]
    args.scratch.mkdir(parents=True, exist_ok=True)
    return Server(command + list(extra), log=args.scratch / "serve.log")


def get_json(url: str) -> dict:
    return json.load(urllib.request.urlopen(url, timeout=10))


def metrics(server: Server) -> dict:
    """/metrics: "name{labels}" to its number."""
    text = urllib.request.urlopen(server.url + "/metrics", timeout=10).read().decode()
    pairs = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


# --- load ----------------------------------------------------------------------------------------


def load(args: argparse.Namespace, url: str, streams: list, **options) -> dict:
    """hone load. A stream is {"model", "route", "rate", "arrivals", "deadline", "priority"}, all but the
    model optional; options are flags ("duration" → --duration). Returns {"total", MODEL…: row,
    "steps": [row…]}."""
    command = [args.hone, "load", "--url", url, "-o", "json", "--seed", args.seed]
    for flag in ["model", "route", "rate", "arrivals", "deadline", "priority"]:
        if not any(flag in s for s in streams):
            continue
        for stream in streams:
            if flag not in stream:
                fail(f"a stream without {flag} beside one that has it")
            command += [f"--{flag}", stream[flag]]
    for flag, value in options.items():
        command += [f"--{flag.replace('_', '-')}", value]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0 and not done.stdout:  # rows of which none is ok are a result too
        fail(f"hone load: {done.stderr.strip()}")
    result = {"steps": [], "generator": done.stderr.strip().splitlines()[0]}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if row.get("step", "all") == "all":
            result[row["model"]] = row
        else:
            result["steps"].append(row)
    return result


def saturation(args: argparse.Namespace, url: str, streams: list, seconds: float = 4) -> float:
    """Answers a second, of all streams in their proportions, when 64 connections are never idle."""
    asked = [{k: v for k, v in s.items() if k not in ("deadline", "priority")} for s in streams]
    wait = 0.25

    def answers(rate: float, time: float) -> float:
        row = load(args, url, scaled(asked, rate), duration=f"{time}s", connections=64,
                   timeout=f"{wait}s")["total"]
        if row["refused"] > row["ok"] / 100:
            say(f"note: {row['refused']} requests were refused while the saturating rate was measured")
        # Whoever is answered has waited about as long as is allowed, so answers go on for as long at the
        # end.
        return row["ok"] / (time + wait)

    # Only half as much again as can be answered: what finds no connection in time is not answered and
    # not counted, but it costs the generator, and so the server, processor time.
    rate = 500
    while (got := answers(rate, 1)) > 0.6 * rate:
        rate *= 3
    return answers(1.5 * got, seconds)


def scaled(streams: list, rate: float) -> list:
    """The same proportions at `rate` requests a second in all."""
    total = sum(float(s["rate"]) for s in streams)
    return [{**s, "rate": f"{float(s['rate']) * rate / total:.3f}"} for s in streams]


# --- a process, from /proc -----------------------------------------------------------------------


def status_kib(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0


def rss_kib(pid: int) -> int:
    return status_kib(pid, "VmRSS")


def anonymous_kib(pid: int) -> int:
    """Of it, what is the process's own: without the pages of mapped files."""
    return status_kib(pid, "RssAnon")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def front_s(pid: int) -> float:
    """Seconds of processor time, user and system, of all its threads but those that compute."""
    tick, total = os.sysconf("SC_CLK_TCK"), 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        if name != "compute":
            total += (int(fields.split()[11]) + int(fields.split()[12])) / tick
    return total


def front_ms(spent_s: float, sent: int, generator: str) -> float:
    """Milliseconds of a core that each request sent cost besides computing, the generator's included."""
    return spent_s * 1e3 / max(1, sent) + float(generator.split()[1]) / 1e3


# --- models --------------------------------------------------------------------------------------


def quantized(args: argparse.Namespace, source: Path, name: str) -> Path:
    """`source` in int8 under scratch, made once."""
    out = args.scratch / name
    if not (out / "hone.json").exists():
        if not (source / "config.json").exists():
            fail(f"{source} has no config.json; ./dev demo minilm fetches the model (--minilm)")
        shutil.rmtree(out, ignore_errors=True)
        args.scratch.mkdir(parents=True, exist_ok=True)
        subprocess.run([args.hone, "quantize", "-m", source, "--type", "int8", "--out", out],
                       check=True, stdout=subprocess.DEVNULL)
    return out


def minilm_int8(args: argparse.Namespace) -> Path:
    return quantized(args, args.minilm, "minilm-int8")


# --- results -------------------------------------------------------------------------------------


def table(rows: list) -> str:
    """Markdown of a list of flat dictionaries with the same keys."""
    if not rows:
        return ""
    shown = [[f"{v:.3f}".rstrip("0").rstrip(".") if isinstance(v, float) else str(v)
              for v in row.values()] for row in rows]
    names = list(rows[0])
    widths = [max(len(n), *(len(r[i]) for r in shown)) for i, n in enumerate(names)]
    line = lambda cells: "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths)) + " |"
    return "\n".join([line(names), "|" + "|".join("-" * (w + 2) for w in widths) + "|",
                      *map(line, shown)])


def report(name: str, rows: list, result: dict, goals: dict) -> None:
    """The table on stderr for a reader, one line of JSON on stdout for a script. `goals`: text to
    (value, whether it is reached)."""
    say(table(rows))
    for goal, (value, reached) in goals.items():
        say(f"{'reached' if reached else 'MISSED '}  {goal}: {value}")
    print(json.dumps({
        "bench": name,
        "cpu": machine.cpu_model(),
        "kind": machine.kind(),
        "load_average": os.getloadavg()[0],
        **result,
        "goals": {g: {"value": v, "reached": bool(r)} for g, (v, r) in goals.items()},
    }))


def median(values: list) -> float:
    return statistics.median(values)
