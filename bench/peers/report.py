"""The results of compare.py as Markdown: one table a kind of work, ratios against each peer."""

import statistics

TITLES = {"minilm": "MiniLM-L6", "bert-base": "BERT-base shape"}
# What each of Hone's formats is compared with: f32 with f32, all smaller ones with the peers' int8.
INT8_PEERS = ["ort-int8", "ov-int8", "ovstatic-int8"]
AGAINST = {"hone-f32": ["ort-f32", "ov-f32", "ovstatic-f32"], "hone-int8": INT8_PEERS,
           "hone-int4": INT8_PEERS}
NAMES = {"ort": "ONNX Runtime", "ov": "OpenVINO", "ovstatic": "OpenVINO, static shape,",
         "hone": "Hone"}


def label(engine: str) -> str:
    kind, dtype = engine.split("-")
    return f"{NAMES[kind]} {dtype}"


def case_times(turns: dict) -> dict[str, dict[str, list[float]]]:
    """{engine: {case: [ms a round]}} with the batches "… #i" of one source added up round by round."""
    summed = {}
    for engine, by_case in turns.items():
        summed[engine] = {}
        for case, rounds in by_case.items():
            name = case.split(" #")[0]
            before = summed[engine].get(name)
            summed[engine][name] = [a + b for a, b in zip(before, rounds)] if before else rounds
    return summed


def _row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---"] + ["---:"] * (len(head) - 1)), *map(_row, rows), ""]


def p50_table(models: dict) -> list[str]:
    rows, engines = [], []
    for result in models.values():
        engines += [e for e in result["turns"] if e not in engines]
    for model, result in models.items():
        times = case_times(result["turns"])
        cases = [c for c in dict.fromkeys(c for t in times.values() for c in t)]
        for case in cases:
            cells = [f"{TITLES.get(model, model)} {case}"]
            for engine in engines:
                rounds = times.get(engine, {}).get(case)
                cells.append(f"{statistics.median(rounds):.2f}" if rounds else "")
            rows.append(cells)
    return _table(["p50, ms", *map(label, engines)], rows)


def ratio_rows(models: dict) -> list[list[str]]:
    """Hone over the peer: the median over rounds of the ratio of that round's medians, with its range
    over rounds, since noise that hits a whole round cancels in the ratio."""
    rows = []
    for model, result in models.items():
        times = case_times(result["turns"])
        for hone, peers in AGAINST.items():
            for case in times.get(hone, {}):
                cells = [f"{TITLES.get(model, model)} {case} {hone.split('-')[1]}"]
                for peer in peers:
                    other = times.get(peer, {}).get(case)
                    if not other:
                        cells.append("")
                        continue
                    ratios = [a / b for a, b in zip(times[hone][case], other)]
                    cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
                rows.append(cells)
    return rows


def load_rows(models: dict) -> list[list[str]]:
    rows = []
    for model, result in models.items():
        for engine, load in result["loads"].items():
            ratio = ""
            if engine in AGAINST and AGAINST[engine][0] in result["loads"]:
                peer = result["loads"][AGAINST[engine][0]]
                ratio = f"{load['first_answer_ms'] / peer['first_answer_ms']:.2f}"
            above = load.get("above_imports_mib")
            rows.append([f"{TITLES.get(model, model)} {label(engine)}",
                         f"{load['first_answer_ms']:.0f}", ratio, f"{load['peak_rss_mib']:.0f}",
                         "" if above is None else f"{above:.0f}"])
    return rows


def markdown(results: dict) -> str:
    models = results["models"]
    versions = next(iter(models.values()))["build"]["versions"]
    lines = [
        f"## {results['kind']}", "",
        f"{results['cpu']}; {' '.join(results['flags'])}. {results['threads']} threads, tokenisation "
        f"left out, {results['rounds']} interleaved rounds, load average {results['load_average']:.1f}, "
        f"{results['date']}. "
        + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".", "",
    ]
    for engine, facts in next(iter(models.values()))["facts"].items():
        if facts:
            lines.append(f"- {label(engine)}: " + ", ".join(f"{k} {v}" for k, v in facts.items()))
    lines += ["", "A batch row is the sum over its batches of 8 texts; the peers pad, Hone does not.", ""]
    lines += p50_table(models)
    ratios = ratio_rows(models)
    if ratios:
        lines += ["p50(Hone) / p50(peer), the median over the rounds, and its range:", ""]
        lines += _table(["", "/ ONNX Runtime", "/ OpenVINO", "/ OpenVINO, static shape"], ratios)
    loads = load_rows(models)
    if loads:
        lines += ["Load and first answer (1×16) in a fresh process, warm file cache, imports of the "
                  "Python peers not counted; peak resident memory:", ""]
        lines += _table(["", "first answer, ms", "/ ONNX Runtime", "peak RSS, MiB",
                         "above imports, MiB"], loads)
    return "\n".join(lines)
