"""What becomes of a delivery to every kind of receiver: outcome, seconds, memory.

`python -m bench.receivers`: real sockets, the service's own client with its real deadline.
"""

import resource
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from service import settings as settings_module
from service.dispatch.client import Client, SendFailed
from tests.dispatch import receivers
from tests.dispatch.receivers import Misbehaving, Receiver, misbehaving, running

NETWORKS = settings_module.read(
    {"CORRIGENDA_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8", "CORRIGENDA_SECRET_KEY": "bench"}
).webhook_allow_networks

Start = Callable[[], AbstractContextManager[Receiver | Misbehaving]]


def says(status: int, **headers: str) -> Start:
    return lambda: running(Receiver(lambda _got: (status, headers)))


def does(what: Callable[..., None], *, reads: bool = True) -> Start:
    return lambda: misbehaving(what, reads=reads)


def with_tls(receiver: Receiver) -> Start:
    return lambda: running(receiver, receivers.server_tls())


CASES: dict[str, tuple[Start, str]] = {
    **{str(status): (says(status), "http") for status in (200, 204, 400, 404, 410, 500, 503)},
    "301": (says(301, Location="https://elsewhere.example/"), "http"),
    "302 to 169.254.169.254": (says(302, Location="http://169.254.169.254/"), "http"),
    "429 with Retry-After": (says(429, **{"Retry-After": "7"}), "http"),
    "reset": (does(receivers.reset), "http"),
    "truncated headers": (does(receivers.truncate_head), "http"),
    "nonsense": (does(receivers.speak_nonsense), "http"),
    "dripping a byte a second": (does(partial(receivers.drip_head, pause=1.0)), "http"),
    "dripping body, 500": (does(partial(receivers.drip_body, pause=1.0)), "http"),
    "hanging": (does(receivers.hang), "http"),
    "endless 100 Continue": (does(receivers.flood_interim), "http"),
    "1 GB body": (does(receivers.huge), "http"),
    "gzip bomb": (does(receivers.bomb), "http"),
    "TLS, trusted by nobody": (with_tls(Receiver()), "https"),
    "TLS, not TLS at all": (does(receivers.speak_nonsense, reads=False), "https"),
    "TLS, handshake hangs": (does(receivers.hang, reads=False), "https"),
}


def outcome(url: str) -> str:
    client = Client(NETWORKS)
    try:
        answer = client.post(url, b"{}", {"webhook-id": "1"})
    except SendFailed as failed:
        return f"failed, {failed}"
    finally:
        client.close()
    kept = f"{answer.status}, {len(answer.body):,} characters kept"
    wish = f", asks for {answer.retry_after} s" if answer.retry_after else ""
    return ("delivered, " if answer.is_success else "failed, ") + kept + wish


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    print(f"{'receiver':26} {'seconds':>7} {'peak +KB':>9}  outcome")
    rows: dict[str, str] = {}

    def run(name: str, start: Start, scheme: str) -> None:
        with start() as receiver:
            before, began = peak(), time.monotonic()
            told = outcome(receiver.url.replace("http:", f"{scheme}:"))
            seconds = time.monotonic() - began
            rows[name] = f"{name:26} {seconds:7.2f} {peak() - before:9,}  {told}"

    slow = [name for name in CASES if any(word in name for word in ("drip", "hang", "endless"))]
    for name, case in CASES.items():
        if name not in slow:
            run(name, *case)
    threads = [threading.Thread(target=run, args=(name, *CASES[name])) for name in slow]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in CASES:
        print(rows[name])


if __name__ == "__main__":
    main()
