"""What the front costs: a request's latency less the engine's own time, at 20 % of the saturating load.

    python3 frontcost.py

Goal: p50 ≤ 0.25 ms, p99 ≤ 1 ms. The latency counts from the write of the request to the read of its
answer, so that the generator's own late wake-ups, which the table shows beside it, are not the server's.
Evenly spaced requests meet nobody. With Poisson arrivals a request now and then waits while the engine
computes another, which no front can spare it: all but the computing is judged of both, and of Poisson
arrivals what is left without the queue (the front columns) as well.
"""

import serving


def main() -> None:
    parser = serving.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    args = parser.parse_args()
    serving.begin(args)
    stream = {"model": "embed", "route": "/embed", "rate": "100"}
    rows = []
    with serving.serve(args, {"embed": serving.minilm_int8(args)}) as server:
        saturating = serving.saturation(args, server.url, [stream])
        for arrivals in ["uniform", "poisson"]:
            asked = [{**stream, "rate": f"{0.2 * saturating:.1f}", "arrivals": arrivals}]
            serving.load(args, server.url, asked, duration="2s")
            result = serving.load(args, server.url, asked, duration=f"{args.seconds}s")
            row = result["total"]
            rows.append({"arrivals": arrivals, "rate": round(0.2 * saturating), "sent": row["sent"],
                         "errors": row["errors"], "p50_ms": row["p50_ms"], "p99_ms": row["p99_ms"],
                         "compute p50": row["p50_compute_ms"], "compute p99": row["p99_compute_ms"],
                         "queue p50": row["p50_queue_ms"], "queue p99": row["p99_queue_ms"],
                         "less compute p50": row["p50_overhead_ms"],
                         "less compute p99": row["p99_overhead_ms"],
                         "front p50": row["p50_front_ms"], "front p99": row["p99_front_ms"],
                         "generator": result["generator"]})
    uniform, poisson = rows
    goals = {}
    for name, row, what in [("evenly spaced", uniform, "less compute"),
                            ("Poisson", poisson, "less compute"),
                            ("Poisson without the queue", poisson, "front")]:
        for quantile, most in [("p50", 0.25), ("p99", 1)]:
            ms = row[f"{what} {quantile}"]
            goals[f"{name}, {quantile} ≤ {most} ms"] = (ms, ms <= most)
    for row in rows:
        serving.say(f"{row['arrivals']}: {row.pop('generator')}")
    serving.report("frontcost", rows, {"saturating_per_s": saturating, "rows": rows}, goals)


if __name__ == "__main__":
    main()
