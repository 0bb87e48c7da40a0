"""One peer engine in a process of its own, driven by JSON lines on stdin; answers on stdout.

    python worker.py ort|ov|ovstatic MODEL THREADS

A process each keeps the thread pools of the engines apart; compare.py stops this one (SIGSTOP) while
others are measured, so that a pool that spins between runs disturbs nobody.

    {"do": "load", "ids": [[…]]}                 → {"load_ms", "first_answer_ms", "facts"}
    {"do": "turn", "ids": [[…]], "seconds": S}   → {"ms": [one number a run]}
    {"do": "memory"}                             → {"peak_rss_mib", "before_load_mib"}
"""

import json
import os
import sys
import time

import numpy as np

MIN_RUNS = 3
WARM_UPS = 2


def peak_rss_mib() -> float:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def padded(rows: list[list[int]]) -> list[np.ndarray]:
    """ids, mask, types [B, longest]: the peers have no other form of a batch than a padded one."""
    width = max(map(len, rows))
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return [ids, mask, np.zeros_like(ids)]


class OnnxRuntime:
    def __init__(self, path: str, threads: int):
        import onnxruntime

        self.module, self.path, self.threads = onnxruntime, path, threads

    def load(self):
        options = self.module.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        self.session = self.module.InferenceSession(
            self.path, options, providers=["CPUExecutionProvider"]
        )
        self.names = [i.name for i in self.session.get_inputs()]

    def run(self, inputs):
        return self.session.run(None, dict(zip(self.names, inputs)))[0]

    def facts(self) -> dict:
        return {"intra_op_num_threads": self.threads}


class OpenVino:
    """`static` compiles the model once more for every shape it meets: OpenVINO's fastest form, for
    callers that know their lengths beforehand. Otherwise one model takes every shape."""

    def __init__(self, path: str, threads: int, static: bool):
        import openvino

        self.core, self.path = openvino.Core(), path
        self.static, self.requests = static, {}
        self.settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        # The int8 model keeps OpenVINO's own choice (bf16 between its int8 operations where the CPU
        # multiplies bf16): its fastest, and what its users get.
        if path.endswith("f32.xml"):
            self.settings["INFERENCE_PRECISION_HINT"] = "f32"

    def load(self):
        if not self.static:
            self._compile(None)

    def _compile(self, shape):
        model = self.core.read_model(self.path)
        if shape:
            model.reshape({i: list(shape) for i in range(len(model.inputs))})
        self.compiled = self.core.compile_model(model, "CPU", self.settings)
        self.requests[shape] = self.compiled.create_infer_request()

    def run(self, inputs):
        shape = inputs[0].shape if self.static else None
        if shape not in self.requests:
            self._compile(shape)
        return self.requests[shape].infer(inputs, share_inputs=True, share_outputs=True)[0]

    def facts(self) -> dict:
        precision = self.compiled.get_property("INFERENCE_PRECISION_HINT")
        return {
            "precision": precision.get_type_name(),
            "threads": self.compiled.get_property("INFERENCE_NUM_THREADS"),
            "streams": int(self.compiled.get_property("NUM_STREAMS")),
        }


def turn(engine, rows, seconds: float) -> list[float]:
    inputs = padded(rows)
    for _ in range(WARM_UPS):
        engine.run(inputs)
    times = []
    end = time.perf_counter() + seconds
    while len(times) < MIN_RUNS or time.perf_counter() < end:
        begin = time.perf_counter()
        engine.run(inputs)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def main() -> None:
    kind, path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # The protocol owns the real stdout; whatever a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if kind == "ort":
        engine = OnnxRuntime(path, threads)
    else:
        engine = OpenVino(path, threads, static=kind == "ovstatic")
    before = peak_rss_mib()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "load":
            inputs = padded(request["ids"])
            begin = time.perf_counter()
            engine.load()
            loaded = time.perf_counter()
            engine.run(inputs)
            end = time.perf_counter()
            answer = {
                "load_ms": (loaded - begin) * 1e3,
                "first_answer_ms": (end - begin) * 1e3,
                "facts": engine.facts(),
            }
        elif request["do"] == "turn":
            answer = {"ms": turn(engine, request["ids"], request["seconds"])}
        else:
            answer = {"peak_rss_mib": peak_rss_mib(), "before_load_mib": before}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
