"""Three models with mixed deadlines at 1.5 and 3 times the saturating rate, and a rise and fall of load.

    python3 overload.py                     the models of models.py
    python3 overload.py --ladder sst2       a ladder of `hone compress` for `embed`

The saturating rate is what the most accurate rungs answer when 64 connections are never idle. Then each
policy gets the same Poisson arrivals. Goals:

- of the accepted requests ≥ 99.9 % are in time, by the client's clock from the planned moment;
- goodput (answers in time a second) ≥ 1.5 × that of fcfs on the same server;
- ladder's goodput ≥ 90 % of what any schedule could reach on these latency tables: the bound of `hone
  simulate`, which knows the future, may interrupt, batches at will, and answers by the cheapest rung, on
  the processor time that receiving, answering and generating leave. Beside it stands the bound for which
  those cost nothing;
- as load rises, the ladder's accuracy falls before refusals begin; a second after load has fallen, the
  most accurate rung answers again.
"""

import models
import serving
import simulation

STEP = 0.25  # seconds of the ramp's resolution


def accuracies(server) -> dict:
    """Accuracy of each model's rungs, 1 where none is known."""
    served = serving.get_json(server.url + "/v1/hone/models")["models"]
    return {m["name"]: {r["name"]: r.get("accuracy", 1) for r in m["rungs"]} for m in served}


def missed(server) -> int:
    served = serving.get_json(server.url + "/v1/hone/models")["models"]
    return sum(m["counters"]["missed"] for m in served)


def mean_accuracy(row: dict, of_rung: dict) -> float:
    answers = sum(row["rungs"].values())
    return sum(of_rung.get(r, 0) * n for r, n in row["rungs"].items()) / answers if answers else 0


def tokens_of(server, streams: list) -> int:
    """The mean length of the requests seen."""
    seen = serving.metrics(server)
    total = lambda what: sum(seen[f'hone_{what}_total{{model="{s["model"]}"}}'] for s in streams)
    return max(1, round(total("tokens") / max(1, total("texts"))))


def bound(args, streams: list, split: str, tokens: int, front_ms: float) -> float:
    """Percent of the requests that no schedule exceeds, by the tables as the server has left them."""
    tables = simulation.tables_of(args, [s["model"] for s in streams])
    row = simulation.simulate(args, streams, tables, split, args.seconds, "--policy", "ladder",
                              "--tokens", tokens, "--front-ms", f"{front_ms:.4f}")
    return min(100.0, 100 * row["bound_per_s"] * args.seconds / max(1, row["sent"]))


def measure(args, directories, streams, saturating) -> list:
    rows = []
    for policy in args.policies.split(","):
        bounds = []  # what they are asked for: the tables are complete when the server has ended
        with serving.serve(args, directories, policy) as server:
            of_rung = accuracies(server)
            serving.load(args, server.url, serving.scaled(streams, saturating / 2), duration="1s")
            for factor in [1.5, 3]:
                before, spent = missed(server), serving.front_s(server.pid)
                asked = serving.scaled(streams, factor * saturating)
                result = serving.load(args, server.url, asked, duration=f"{args.seconds}s")
                row = result["total"]
                front_ms = serving.front_ms(serving.front_s(server.pid) - spent, row["sent"],
                                            result["generator"])
                accepted = row["ok"] + row["late"]
                bounds.append((asked, simulation.split_of(server), tokens_of(server, streams)))
                rows.append({
                    "policy": policy, "load": f"{factor}×", "sent": row["sent"], "ok": row["ok"],
                    "late": row["late"], "missed": missed(server) - before,
                    "refused": row["refused"], "errors": row["errors"],
                    "in time of accepted %": 100 * row["ok"] / accepted if accepted else 0.0,
                    "goodput/s": row["goodput_per_s"],
                    "in time of sent %": 100 * row["ok"] / row["sent"],
                    "bound %": 0.0, "bound, free front %": 0.0,
                    "front_ms": front_ms, "p99_ms": row["p99_ms"],
                    **{f"{s['model']} %": 100 * result[s["model"]]["ok"] / result[s["model"]]["sent"]
                       for s in streams},
                    "embed accuracy": mean_accuracy(result["embed"], of_rung["embed"]),
                    "rungs": " ".join(f"{r}={n}" for r, n in result["embed"]["rungs"].items())})
                serving.say(f"{policy} {factor}×: {result['generator']}")
        for row, asked in zip(rows[-len(bounds):], bounds):
            row["bound %"] = bound(args, *asked, row["front_ms"])
            row["bound, free front %"] = bound(args, *asked, 0)
    return rows


def rise_and_fall(args, directories, streams, saturating) -> tuple:
    """The embed model's rungs in steps of a quarter of a second: calm, 3 ×, calm."""
    calm, high = 0.4 * saturating, 3 * saturating
    parts = [(calm, 2)] + [(high, STEP)] * 16 + [(calm, STEP)] * 16
    ramp = ",".join(f"{rate:.1f}:{seconds}s" for rate, seconds in parts)
    with serving.serve(args, directories, "ladder") as server:
        of_rung = accuracies(server)["embed"]
        serving.load(args, server.url, serving.scaled(streams, calm), duration="1s")
        of_all = serving.load(args, server.url, streams, ramp=ramp)["steps"]
    steps = [s for s in of_all if s["model"] == "embed"]
    in_time = lambda begin: (100 * sum(s["ok"] for s in of_all if s["begin_s"] == begin) /
                             max(1, sum(s["sent"] for s in of_all if s["begin_s"] == begin)))
    best = max(of_rung, key=of_rung.get)
    rows = [{"s": s["begin_s"], "rate": s["rate_per_s"], "sent": s["sent"], "ok": s["ok"],
             "late": s["late"], "refused": s["refused"], "accuracy": mean_accuracy(s, of_rung),
             "all models, in time %": in_time(s["begin_s"]),
             "best rung %": 100 * s["rungs"].get(best, 0) / max(1, sum(s["rungs"].values())),
             "rungs": " ".join(f"{r}={n}" for r, n in s["rungs"].items())} for s in steps]
    rise, fall = 1, 17  # steps in which the load changes
    never = len(rows)
    falls = next((i for i in range(rise, fall) if rows[i]["best rung %"] < 95), never)
    refuses = next((i for i in range(rise, fall) if rows[i]["refused"] > rows[i]["sent"] / 100), never)
    back = next((i for i in range(fall, never)
                 if all(r["best rung %"] >= 95 for r in rows[i:] if r["ok"])), never)
    return rows, {"accuracy_falls_s": (falls - rise) * STEP, "refusals_begin_s": (refuses - rise) * STEP,
                  "back_after_s": (back - fall) * STEP}


def main() -> None:
    parser = serving.parser(__doc__)
    models.add_flags(parser)
    parser.add_argument("--seconds", type=float, default=8, help="of each policy and load")
    parser.add_argument("--policies", default="ladder,fcfs", help="also edf, round_robin")
    args = parser.parse_args()
    serving.begin(args)
    directories, streams = models.three(args)
    with serving.serve(args, directories, "fcfs") as server:
        saturating = serving.saturation(args, server.url, streams)
    serving.say(f"saturating rate: {saturating:.0f} requests a second")
    rows = measure(args, directories, streams, saturating)
    serving.say(serving.table(rows))
    over_time, moments = rise_and_fall(args, directories, streams, saturating)
    goals = {}
    for factor in ["1.5×", "3×"]:
        of = {r["policy"]: r for r in rows if r["load"] == factor}
        share = of["ladder"]["in time of accepted %"]
        goals[f"{factor}: ≥ 99.9 % of accepted in time"] = (share, share >= 99.9)
        reach = of["ladder"]["in time of sent %"] / max(of["ladder"]["bound %"], 1e-9)
        goals[f"{factor}: goodput ≥ 90 % of any schedule's"] = (reach, reach >= 0.9)
        if "fcfs" in of:
            ratio = of["ladder"]["goodput/s"] / max(of["fcfs"]["goodput/s"], 1e-9)
            goals[f"{factor}: goodput ≥ 1.5 × fcfs"] = (ratio, ratio >= 1.5)
    goals["accuracy falls before refusals begin"] = (
        f"{moments['accuracy_falls_s']} s, {moments['refusals_begin_s']} s after the rise",
        moments["accuracy_falls_s"] <= moments["refusals_begin_s"])
    goals["accuracy is back within 1 s"] = (moments["back_after_s"], moments["back_after_s"] <= 1)
    serving.report("overload", over_time, {"saturating_per_s": saturating, "rows": rows,
                                           "over_time": over_time, **moments}, goals)


if __name__ == "__main__":
    main()
