"""Browser engines opened on one address of this machine, with no driver: the page reports back."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Engines reach this machine directly and everything else through a proxy that is not there.
_FIREFOX = """
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("app.normandy.enabled", false);
"""


def _chromium(url: str, profile: Path) -> list[str]:
    return [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--proxy-server=127.0.0.1:9",
        f"--user-data-dir={profile}", "--remote-debugging-port=0", url,
    ]  # fmt: skip


def _firefox(url: str, profile: Path) -> list[str]:
    (profile / "user.js").write_text(_FIREFOX)
    return ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile), url]


def _webkit(url: str, profile: Path) -> list[str]:
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    return ["xvfb-run", "-a", str(browsers[0]) if browsers else "MiniBrowser", "--private", url]


ENGINES = {"chromium": _chromium, "firefox": _firefox, "webkitgtk": _webkit}


@contextmanager
def opened(engine: str, url: str) -> Iterator[subprocess.Popen[bytes] | None]:
    """Open the engine on an address and end it afterwards; None where it is not installed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = ENGINES[engine](url, Path(folder))
        needed = command[:3:2] if engine == "webkitgtk" else command[:1]
        if not all(shutil.which(program) for program in needed):
            yield None
            return
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
