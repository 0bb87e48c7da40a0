"""`hone simulate` beside the server: the same arrivals, deadlines, lengths and latency tables.

    python3 simulate_vs_real.py

Arrivals are written once as traces, which both read; the texts are of equal length a model, counted by
the server. What a request costs besides computing (receiving, answering, and the generator on the same
cores) is measured at the same load with other arrivals before, and told to the simulation. Goal: goodput
within 10 %.

The last case has memory for some of the rungs only: `embed` is asked for half of the time and `search` for
the other, so that the planner has to load and evict while `intent` goes on.
"""

import json
import random

import models
import serving
import simulation

# Words that are one token each in the vocabularies of both kinds of model; the models add two.
TEXT = "turn on the light in the room and the music in the house please"
WORDS = {"embed": 14, "search": 30, "intent": 8}
CASES = [("poisson", 0.7), ("gamma:4", 0.7), ("poisson", 1.5), ("poisson", 3)]
MEMORY = "16MiB"  # of some 31: the best rung of embed, or search
HALVES = {"embed": (0, 0.5), "search": (0.5, 1), "intent": (0, 1)}  # when each is asked for, of the time


def gaps(arrivals: str, rate: float, source: random.Random):
    cv = float(arrivals[6:]) if arrivals.startswith("gamma:") else 1
    while True:
        yield source.gammavariate(1 / cv**2, cv**2 / rate)


def write_traces(args, arrivals: str, streams: list, seconds: float, tokens: dict, when: dict = {}) -> tuple:
    """For each stream a trace of its words for the generator, and one of its tokens for the simulation.
    `when`: from which share of the time to which a model is asked for; all of it where it says nothing."""
    for_load, for_simulation = [], []
    for i, stream in enumerate(streams):
        source = random.Random(args.seed * 100 + i)
        name = stream["model"]
        begin, end = (share * seconds for share in when.get(name, (0, 1)))
        at, moments = begin, []
        for gap in gaps(arrivals, float(stream["rate"]), source):
            at += gap
            if at >= end:
                break
            moments.append(at)
        for kind, count, out in [("load", WORDS[name], for_load), ("sim", tokens[name], for_simulation)]:
            path = args.scratch / f"trace-{name}-{kind}.csv"
            # Both count from the first line, so the first is at zero.
            lines = [f"{m:.9f},{count}" for m in [0.0, *moments]]
            path.write_text("\n".join(["seconds,ContextTokens", *lines]) + "\n")
            out.append({"model": name, "route": stream["route"], "deadline": stream["deadline"],
                        "arrivals": f"trace:{path}"})
    return for_load, for_simulation


def besides(args, server, arrivals: str, streams: list) -> tuple:
    """Tokens of each model's requests, and milliseconds of a core that a request costs besides computing."""
    seconds = 2
    words = dict(WORDS)
    args.seed += 1  # other arrivals than those that are compared
    asked, _ = write_traces(args, arrivals, streams, seconds, words)
    args.seed -= 1
    before, spent = serving.metrics(server), serving.front_s(server.pid)
    result = serving.load(args, server.url, asked, duration=f"{seconds}s",
                          texts=args.scratch / "words.txt")
    after = serving.metrics(server)
    spent = serving.front_s(server.pid) - spent
    grown = lambda key: after[key] - before[key]
    tokens = {n: round(grown(f'hone_tokens_total{{model="{n}"}}') /
                       max(1, grown(f'hone_texts_total{{model="{n}"}}'))) for n in WORDS}
    return tokens, serving.front_ms(spent, result["total"]["sent"], result["generator"])


def best_share(result: dict, rungs: list) -> float:
    """Of the answers of a ladder's rungs, those of its best."""
    counts = [result["rungs"].get(name, 0) for name in rungs]
    return counts[0] / max(1, sum(counts))


def compare(args, server, case: tuple, traces: tuple, seconds: float, tables: dict, front_ms: float,
            split: str, *flags) -> dict:
    """The server and the simulation under the same traces, the latter with these executors; as the load asks
    where `split` is empty."""
    for_load, for_simulation = traces
    result = serving.load(args, server.url, for_load, duration=f"{seconds}s",
                          texts=args.scratch / "words.txt")
    real = result["total"]
    sim = simulation.simulate(args, for_simulation, tables, split, seconds, "--policy", args.policy,
                              "--front-ms", f"{front_ms:.4f}", *flags)
    rungs = [rung["name"] for rung in json.loads(tables["embed"].read_text())["rungs"]]
    arrivals, load, memory = case
    return {"arrivals": arrivals, "load": f"{load}×", "memory": memory, "executors": simulation.split_of(server),
            "front_ms": front_ms,
            "sent": real["sent"], "sent sim": sim["sent"],
            "ok": real["ok"], "ok sim": sim["ok"], "refused": real["refused"],
            "refused sim": sim["refused"], "late": real["late"], "late sim": sim["late"],
            "p50_ms": real["p50_ms"], "p50 sim": sim["p50_ms"],
            "best rung": best_share(real, rungs), "best sim": best_share(sim, rungs),
            "loads": 0, "loads sim": sim["loads"], "real / sim": real["ok"] / max(1, sim["ok"])}


def main() -> None:
    parser = serving.parser(__doc__)
    models.add_flags(parser)
    parser.add_argument("--policy", default="ladder")
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    serving.begin(args)
    directories, streams = models.three(args)
    (args.scratch / "words.txt").write_text(TEXT + "\n")
    rows = []
    with serving.serve(args, directories, "fcfs") as server:
        saturating = serving.saturation(args, server.url, streams)
    # A first server learns what batches take between others; its tables are those that both then go by.
    with serving.serve(args, directories, args.policy) as server:
        for factor in [0.7, 3]:
            serving.load(args, server.url, serving.scaled(streams, factor * saturating), duration="4s")
    with serving.serve(args, directories, args.policy) as server:
        serving.load(args, server.url, serving.scaled(streams, saturating / 2), duration="1s")
        tables = simulation.tables_of(args, list(directories))
        for arrivals, factor in CASES:
            at_rate = serving.scaled(streams, factor * saturating)
            tokens, front_ms = besides(args, server, arrivals, at_rate)
            traces = write_traces(args, arrivals, at_rate, args.seconds, tokens)
            # A server that has served for a while: its cores are split as that load asked.
            rows.append(compare(args, server, (arrivals, factor, ""), traces, args.seconds, tables, front_ms,
                                simulation.split_of(server)))
    # From its start, as the simulation; executors as the first case had them.
    first, seconds = rows[0], 2 * args.seconds
    with serving.serve(args, directories, args.policy,
                       ["--memory", MEMORY, "--split", first["executors"]]) as server:
        at_rate = serving.scaled(streams, CASES[0][1] * saturating)
        traces = write_traces(args, CASES[0][0], at_rate, seconds, tokens, HALVES)
        rows.append(compare(args, server, (*CASES[0], MEMORY), traces, seconds, tables, first["front_ms"],
                            first["executors"], "--memory", MEMORY))
        loads = sum(n for key, n in serving.metrics(server).items() if key.startswith("hone_rung_loads_total"))
        rows[-1]["loads"] = int(loads)
        if min(loads, rows[-1]["loads sim"]) == 0:
            serving.fail(f"with {MEMORY} nothing was loaded: the case shows nothing")
    goals = {f"{r['arrivals']} {r['load']} {r['memory']}: goodput within 10 %":
             (r["real / sim"], 0.9 <= r["real / sim"] <= 1.1) for r in rows}
    serving.report("simulate_vs_real", rows, {"saturating_per_s": saturating, "tokens": tokens,
                                              "rows": rows}, goals)


if __name__ == "__main__":
    main()
