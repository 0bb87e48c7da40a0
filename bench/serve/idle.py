"""What an idle connection costs: 1,000 of them kept alive beside 64 active ones.

    python3 idle.py

Goal: the server's resident memory grows by ≤ 30 KiB a connection. Descriptors and threads are counted
before, during and after; after all connections are closed both must be what they were.
"""

import socket
import time

import serving


def open_idle(url: str, count: int) -> list:
    """Connections that have each brought an answer and stay open."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    sockets = []
    for _ in range(count):
        one = socket.create_connection((host, int(port)), timeout=10)
        one.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        if b" 200 " not in one.recv(4096):
            serving.fail("/health did not answer 200")
        sockets.append(one)
    return sockets


def state(server, what: str) -> dict:
    return {"when": what, "rss_kib": serving.rss_kib(server.pid),
            "descriptors": serving.descriptors(server.pid), "threads": serving.threads(server.pid)}


def settled(server, what: str, descriptors: int) -> dict:
    """When the server has noticed closed connections, or after five seconds."""
    for _ in range(50):
        if serving.descriptors(server.pid) <= descriptors:
            break
        time.sleep(0.1)
    return state(server, what)


def main() -> None:
    parser = serving.parser(__doc__)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--active", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    args = parser.parse_args()
    serving.begin(args)
    stream = [{"model": "embed", "route": "/embed", "rate": "5000"}]
    busy = {"duration": f"{args.seconds}s", "connections": args.active, "timeout": "500ms"}
    with serving.serve(args, {"embed": serving.minilm_int8(args)}) as server:
        serving.load(args, server.url, stream, **busy)  # every buffer that activity needs
        before = settled(server, "after load, before idle connections", 0)
        sockets = open_idle(server.url, args.idle)
        idle = state(server, f"{args.idle} idle")
        row = serving.load(args, server.url, stream, **busy)["total"]
        both = state(server, f"after {args.active} active beside them")
        for one in sockets:
            one.close()
        after = settled(server, "all closed", before["descriptors"])
    rows = [before, idle, both, after]
    growth = (max(idle["rss_kib"], both["rss_kib"]) - before["rss_kib"]) / args.idle
    same = (after["descriptors"] <= before["descriptors"] and after["threads"] == before["threads"])
    serving.report("idle", rows, {"rows": rows, "kib_per_connection": growth, "ok": row["ok"]}, {
        "growth ≤ 30 KiB a connection": (growth, growth <= 30),
        "descriptors and threads as before": (same, same)})


if __name__ == "__main__":
    main()
