"""`hone simulate` beside the server: the same arrivals, deadlines, lengths and latency tables.

    python3 simulate_vs_real.py

Arrivals are written once as traces, which both read; the texts are of equal length a model, counted by
the server. What a request costs besides computing (receiving, answering, and the generator on the same
cores) is measured at the same load with other arrivals before, and told to the simulation. Goal: goodput
within 10 %.
"""

import random

import models
import serving
import simulation

# Words that are one token each in the vocabularies of both kinds of model; the models add two.
TEXT = "turn on the light in the room and the music in the house please"
WORDS = {"embed": 14, "search": 30, "intent": 8}
CASES = [("poisson", 0.7), ("gamma:4", 0.7), ("poisson", 1.5), ("poisson", 3)]


def gaps(arrivals: str, rate: float, source: random.Random):
    cv = float(arrivals[6:]) if arrivals.startswith("gamma:") else 1
    while True:
        yield source.gammavariate(1 / cv**2, cv**2 / rate)


def write_traces(args, arrivals: str, streams: list, seconds: float, tokens: dict) -> tuple:
    """For each stream a trace of its words for the generator, and one of its tokens for the simulation."""
    for_load, for_simulation = [], []
    for i, stream in enumerate(streams):
        source = random.Random(args.seed * 100 + i)
        at, moments = 0.0, []
        for gap in gaps(arrivals, float(stream["rate"]), source):
            at += gap
            if at >= seconds:
                break
            moments.append(at)
        name = stream["model"]
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
            asked, simulated = write_traces(args, arrivals, at_rate, args.seconds, tokens)
            result = serving.load(args, server.url, asked, duration=f"{args.seconds}s",
                                  texts=args.scratch / "words.txt")
            real = result["total"]
            split = simulation.split_of(server)
            sim = simulation.simulate(args, simulated, tables, split, args.seconds,
                                      "--policy", args.policy, "--front-ms", f"{front_ms:.4f}")
            rows.append({"arrivals": arrivals, "load": f"{factor}×", "executors": split,
                         "front_ms": front_ms,
                         "sent": real["sent"], "sent sim": sim["sent"],
                         "ok": real["ok"], "ok sim": sim["ok"], "refused": real["refused"],
                         "refused sim": sim["refused"], "late": real["late"], "late sim": sim["late"],
                         "p50_ms": real["p50_ms"], "p50 sim": sim["p50_ms"],
                         "real / sim": real["ok"] / max(1, sim["ok"])})
    goals = {f"{r['arrivals']} {r['load']}: goodput within 10 %":
             (r["real / sim"], 0.9 <= r["real / sim"] <= 1.1) for r in rows}
    serving.report("simulate_vs_real", rows, {"saturating_per_s": saturating, "tokens": tokens,
                                              "rows": rows}, goals)


if __name__ == "__main__":
    main()
