"""Load of every kind for minutes or hours: no growth in memory, descriptors or threads.

    python3 soak.py --minutes 60

In turn: bursts at half the saturating rate, twice the saturating rate with deadlines, connections that
are opened and closed for one request, clients that leave while they wait, and requests that are wrong.
The first quarter warms up. Goal: from the second quarter to the last, the median resident memory grows
by less than 1 MiB or 2 %, whichever is more, descriptors and threads not at all.
"""

import contextlib
import socket
import time

import serving

REQUEST = (b"POST /embed HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
           b"Content-Length: %d\r\n%s\r\n%s")
WRONG = [b"{", b"[]", b'{"inputs": 7}', b'{"inputs": "x", "model": "none"}', b'{"inputs": []}',
         b'{"inputs": "' + b"word " * 4000 + b'"}', b"\xff\xfe", b'{"inputs": {"a": ' + b"[" * 500]

ROUNDS_TO_TELL = 8  # of some five seconds, between two lines of progress


def raw(url: str, body: bytes, headers: bytes, wait: bool) -> None:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as one:
        one.sendall(REQUEST % (len(body), headers, body))
        if wait:
            one.recv(65536)


def odd_clients(url: str) -> None:
    for i in range(200):
        raw(url, b'{"inputs": "one connection for one request"}', b"Connection: close\r\n", True)
        raw(url, b'{"inputs": "a client that leaves"}', b"", False)
        raw(url, WRONG[i % len(WRONG)], b"", True)


def main() -> None:
    parser = serving.parser(__doc__)
    parser.add_argument("--minutes", type=float, default=1.5)
    args = parser.parse_args()
    serving.begin(args)
    stream = {"model": "embed", "route": "/embed", "rate": "100", "deadline": "50ms",
              "arrivals": "gamma:4"}
    samples, counts = [], {"sent": 0, "ok": 0, "late": 0, "refused": 0, "errors": 0}
    with serving.serve(args, {"embed": serving.minilm_int8(args)}) as server:
        saturating = serving.saturation(args, server.url, [stream], 2)
        start = time.monotonic()
        while time.monotonic() - start < args.minutes * 60:
            for factor in [0.5, 2]:
                asked = serving.scaled([stream], factor * saturating)
                row = serving.load(args, server.url, asked, duration="2s")["total"]
                for key in counts:
                    counts[key] += row[key]
            odd_clients(server.url)
            time.sleep(0.3)  # closed connections are noticed
            samples.append({"s": time.monotonic() - start, "rss_kib": serving.rss_kib(server.pid),
                            "anonymous_kib": serving.anonymous_kib(server.pid),
                            "descriptors": serving.descriptors(server.pid),
                            "threads": serving.threads(server.pid)})
            if len(samples) % ROUNDS_TO_TELL == 1:
                now = samples[-1]
                serving.say(f"{now['s'] / 60:5.1f} of {args.minutes:g} minutes: {counts['sent']} requests, "
                            f"{counts['errors']} errors, {now['rss_kib']} KiB, {now['descriptors']} "
                            f"descriptors, {now['threads']} threads")
    if len(samples) < 8:
        serving.fail(f"{len(samples)} rounds are too few to tell; --minutes 1 at least")
    quarter = len(samples) // 4
    early, last = samples[quarter:2 * quarter], samples[-quarter:]
    rows = [{"when": name, "samples": len(part),
             **{key: serving.median([s[key] for s in part])
                for key in ["rss_kib", "anonymous_kib", "descriptors", "threads"]}}
            for name, part in [("second quarter", early), ("last quarter", last)]]
    growth = {k: rows[1][k] - rows[0][k] for k in ["rss_kib", "descriptors", "threads"]}
    allowed = max(1024, 0.02 * rows[0]["rss_kib"])
    serving.report("soak", rows, {"minutes": args.minutes, **counts, "samples": samples}, {
        "memory does not grow": (f"{growth['rss_kib']:.0f} KiB", growth["rss_kib"] < allowed),
        "descriptors do not grow": (growth["descriptors"], growth["descriptors"] <= 0),
        "threads do not grow": (growth["threads"], growth["threads"] <= 0),
        "no errors": (counts["errors"], counts["errors"] == 0)})


if __name__ == "__main__":
    main()
