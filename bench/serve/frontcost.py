"""What the front costs: a request's latency less the engine's own time, at 20 % of the saturating load.

    python3 frontcost.py

Goal: p50 ≤ 0.25 ms, p99 ≤ 1 ms. The latency counts from the write of the request to the read of its
answer, so that the generator's own late wake-ups, which the table shows beside it, are not the server's.
With Poisson arrivals a request also waits for the computing of another now and then (the queue column;
the front columns are without it); evenly spaced ones meet nobody. All but the computing is judged, of both.
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
    p50 = max(r["less compute p50"] for r in rows)
    p99 = max(r["less compute p99"] for r in rows)
    for row in rows:
        serving.say(f"{row['arrivals']}: {row.pop('generator')}")
    serving.report("frontcost", rows, {"saturating_per_s": saturating, "rows": rows}, {
        "front p50 ≤ 0.25 ms": (p50, p50 <= 0.25), "front p99 ≤ 1 ms": (p99, p99 <= 1)})


if __name__ == "__main__":
    main()
