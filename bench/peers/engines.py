"""The engines as compare.py sees them: load in a fresh process, take a turn, sleep in between."""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Peer:
    """ONNX Runtime or OpenVINO, in a worker process (worker.py) that is stopped between its turns."""

    def __init__(self, name: str, model: Path, threads: int, environment: dict[str, str]):
        self.name = name
        self.environment = {**os.environ, **environment}
        self.command = [sys.executable, str(HERE / "worker.py"), name.split("-")[0], str(model),
                        str(threads)]
        self.process = None
        self.facts = {}

    def _start(self) -> subprocess.Popen:
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env=self.environment, text=True)
        self._answer(process)  # ready: imports are behind it
        return process

    def _answer(self, process: subprocess.Popen) -> dict:
        line = process.stdout.readline()
        if not line:
            sys.exit(f"compare.py: the worker of {self.name} ended with {process.wait()}")
        return json.loads(line)

    def _ask(self, process: subprocess.Popen, request: dict) -> dict:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return self._answer(process)

    def start(self, ids: list[list[int]]) -> None:
        self.process = self._start()
        self.facts = self._ask(self.process, {"do": "load", "ids": ids})["facts"]
        self.process.send_signal(signal.SIGSTOP)

    def turn(self, cases: dict, seconds: float) -> dict[str, float]:
        """Median milliseconds of this turn for every case {name: {"ids": rows, …}}."""
        self.process.send_signal(signal.SIGCONT)
        medians = {}
        for name, case in cases.items():
            request = {"do": "turn", "ids": case["ids"], "seconds": seconds}
            medians[name] = statistics.median(self._ask(self.process, request)["ms"])
        self.process.send_signal(signal.SIGSTOP)
        return medians

    def load(self, ids: list[list[int]]) -> dict:
        """First answer and memory of a fresh process; its imports are not counted."""
        process = self._start()
        loaded = self._ask(process, {"do": "load", "ids": ids})
        memory = self._ask(process, {"do": "memory"})
        process.stdin.close()
        process.wait()
        return {
            "first_answer_ms": loaded["first_answer_ms"],
            "peak_rss_mib": memory["peak_rss_mib"],
            "above_imports_mib": memory["peak_rss_mib"] - memory["before_load_mib"],
        }

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.stdin.close()
            self.process.wait()
            self.process = None


class Hone:
    """`hone bench` as a subprocess: one a turn for the fixed shapes, and one for every ragged batch."""

    def __init__(self, name: str, program: Path, directory: Path, threads: int, scratch: Path):
        self.name, self.program, self.threads = name, program, threads
        self.dtype = name.split("-")[1]
        self.scratch = scratch
        self.directory = directory
        self.facts = {}
        if self.dtype != "f32":
            # Quantised anew every time: an artefact of yesterday's program would be measured otherwise.
            self.directory = scratch / f"hone-{self.dtype}"
            shutil.rmtree(self.directory, ignore_errors=True)
            subprocess.run([program, "quantize", "-m", directory, "--type", self.dtype, "--out",
                            self.directory], check=True, stdout=subprocess.DEVNULL)

    def _bench(self, *arguments: str) -> list[dict]:
        command = [self.program, "bench", "-m", self.directory, "-t", str(self.threads),
                   "--dtype", self.dtype, "-o", "json", *arguments]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"compare.py: {' '.join(map(str, command))} ended with {done.returncode}")
        return parse_rows(done.stdout)

    def start(self, ids: list[list[int]]) -> None:
        row = self._bench("-b", "1", "-s", str(len(ids[0])), "-r", "1")[0]
        self.facts = {"isa": row["isa"], "threads": row["threads"]}

    def turn(self, cases: dict, seconds: float) -> dict[str, float]:
        fixed = {len(case["ids"][0]): name for name, case in cases.items() if "text" not in case}
        medians = {}
        if fixed:
            rows = self._bench("-b", "1", "-s", ",".join(map(str, fixed)), "--seconds", str(seconds))
            medians = {fixed[row["seq"]]: row["p50_ms"] for row in rows}
        for name, case in cases.items():
            if "text" in case:
                medians[name] = self._ragged(case, seconds)
        return medians

    def _ragged(self, case: dict, seconds: float) -> float:
        """A file of as many lines as the batch: one batch, of exactly these texts."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=self.scratch) as lines:
            lines.write("".join(text + "\n" for text in case["text"]))
            lines.flush()
            row = self._bench("-b", str(len(case["text"])), "--lengths", lines.name,
                              "--seconds", str(seconds))[0]
        tokens = sum(map(len, case["ids"]))
        counted = row["seq"] * row["batch"]  # seq is the mean length of a text here
        # The peers were given these very tokens; seq may be rounded.
        if abs(counted - tokens) > row["batch"]:
            sys.exit(f"compare.py: {self.name} ran {counted:.0f} tokens of a batch of {tokens}")
        return row["p50_ms"]

    def load(self, ids: list[list[int]]) -> dict:
        """By the program's own clock: until the model is ready, and the first answer."""
        row = self._bench("-b", "1", "-s", str(len(ids[0])), "-r", "1")[0]
        first = row["load_ms"] + row["first_ms"]
        return {"first_answer_ms": first, "peak_rss_mib": row["peak_rss_mib"]}

    def stop(self) -> None:
        pass


def parse_rows(text: str) -> list[dict]:
    """The rows of `hone bench -o json`: one JSON object a row, one row a line."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
