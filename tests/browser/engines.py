"""Real browser engines behind one small face: the tests say what a reader does, not with which driver.

An engine brings seven primitives; everything else is built on them here, so that all engines are asked
the same questions in the same way.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import Browser, Playwright, sync_playwright
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

PATIENCE = 15.0
DIALOG = "document.querySelector('corrigenda-dialog')?.shadowRoot"

ROOT = Path(__file__).parents[2]

# Browsers reach this machine directly and everything else through a proxy that is not there.
NOWHERE = "http://127.0.0.1:9"

_SELECT = """(css, text, occurrence) => {
  const root = document.querySelector(css);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let whole = '';
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    nodes.push([node, whole.length]);
    whole += node.data;
  }
  let start = -1;
  for (let n = 0; n <= occurrence; n++) start = whole.indexOf(text, start + 1);
  if (start < 0) throw new Error('no such text: ' + text);
  const point = (index, isEnd) => {
    const [node, at] = nodes.findLast(([, at]) => (isEnd ? at < index : at <= index));
    return [node, index - at];
  };
  const range = document.createRange();
  range.setStart(...point(start, false));
  range.setEnd(...point(start + text.length, true));
  range.startContainer.parentElement.scrollIntoView({ block: 'center' });
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}"""

_BOX = """(find) => {
  const element = find();
  element.scrollIntoView({ block: 'nearest' });
  const { x, y, width, height } = element.getBoundingClientRect();
  return { x, y, width, height };
}"""

_IS_SEEN = """(find) => {
  const element = find();
  return !!element && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
}"""


class EngineMissing(Exception):
    """The engine is not installed; the message tells how to get it."""


class Place:
    """One element, looked up anew at every question; reached by a JavaScript expression."""

    def __init__(self, engine: "Engine", expression: str) -> None:
        self._engine = engine
        self._find = f"() => {expression}"
        self._expression = expression

    def _ask(self, function: str) -> Any:
        return self._engine.evaluate(f"({function})({self._find})")

    def is_seen(self) -> bool:
        """Whether it exists and can be seen."""
        return bool(self._ask(_IS_SEEN))

    def wait(self) -> "Place":
        """Wait until it can be seen; raises TimeoutError."""
        self._engine.wait_until(self.is_seen, f"{self._expression} is seen")
        return self

    def text(self) -> str:
        """Its text, once it can be seen."""
        self.wait()
        return str(self._ask("(find) => find().textContent"))

    def value(self) -> str:
        """What its field holds."""
        self.wait()
        return str(self._ask("(find) => find().value"))

    def attribute(self, name: str) -> str | None:
        """An attribute's value."""
        self.wait()
        found = self._ask(f"(find) => find().getAttribute({json.dumps(name)})")
        return None if found is None else str(found)

    def box(self) -> dict[str, float]:
        """Its place in the viewport in CSS pixels: x, y, width, height."""
        self.wait()
        found: dict[str, float] = self._ask(_BOX)
        return found

    def click(self) -> None:
        """Click its middle with the mouse."""
        box = self.box()
        self._engine.click_at(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def tap(self) -> None:
        """Touch its middle with a finger."""
        box = self.box()
        self._engine.tap_at(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def focus(self) -> None:
        """Give it the keyboard."""
        self.wait()
        self._ask("(find) => find().focus()")

    def fill(self, text: str) -> None:
        """Replace what its field holds by typing."""
        self.focus()
        self._ask("(find) => find().select()")
        if text:
            self._engine.type(text)
        else:
            self._engine.press("Backspace")

    def choose(self, value: str) -> None:
        """Choose an option of a list by its value, as the reader's choice would."""
        self.focus()
        self._ask(
            "(find) => { const list = find(); list.value = "
            f"{json.dumps(value)}; list.dispatchEvent(new Event('input', {{ bubbles: true }})); }}"
        )


class Engine(ABC):
    """A browser with one page."""

    name: str

    # Whether its driver has fingers: WebKitGTK's makes a mouse of them.
    has_touch: ClassVar[bool] = True

    @abstractmethod
    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is awaited."""

    @abstractmethod
    def press(self, keys: str) -> None:
        """Press a key, with modifiers before it: `Control+Enter`."""

    @abstractmethod
    def type(self, text: str) -> None:
        """Type into what has the focus."""

    @abstractmethod
    def click_at(self, x: float, y: float) -> None:
        """Click with the mouse at a place of the viewport, in CSS pixels."""

    def tap_at(self, x: float, y: float) -> None:
        """Touch a place of the viewport with a finger."""
        raise NotImplementedError(f"The driver of {self.name} has no fingers")

    def set_offline(self, is_offline: bool) -> None:
        """Take the network away from the page, or give it back."""
        raise NotImplementedError(f"The driver of {self.name} cannot take the network away")

    @abstractmethod
    def screenshot(self, file: Path) -> None:
        """Write the viewport as PNG."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    def at(self, css: str) -> Place:
        """An element of the page."""
        return Place(self, f"document.querySelector({json.dumps(css)})")

    def inside_dialog(self, css: str) -> Place:
        """An element of the readers' dialog."""
        return Place(self, f"{DIALOG}?.querySelector({json.dumps(css)})")

    def text(self, css: str) -> str:
        """The text of an element of the page."""
        return self.at(css).text()

    def select(self, css: str, text: str, occurrence: int = 0) -> None:
        """Select a text inside an element, also across its inner elements."""
        self.evaluate(f"({_SELECT})({json.dumps(css)}, {json.dumps(text)}, {occurrence})")

    def selection(self) -> str:
        """The text that is selected on the page."""
        return str(self.evaluate("String(getSelection())"))

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true; raises TimeoutError."""
        self.wait_until(lambda: self.evaluate(f"!!({expression})"), expression)

    def wait_until(self, ask: Callable[[], Any], what: str) -> Any:
        """Wait until an answer is true, and return it; raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while not (answer := ask()):
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name}: not within {PATIENCE} s: {what}")
            time.sleep(0.02)
        return answer


class Chromium(Engine):
    """Chromium by Playwright; `page` and `context` are there for what only its driver can do."""

    name = "chromium"
    _driver: ClassVar[Playwright | None] = None
    _browser: ClassVar[Browser | None] = None

    def __init__(self, **options: Any) -> None:
        self._others: list[Chromium] = []
        self.context = self._launched().new_context(**options)
        self.page = self.context.new_page()

    @classmethod
    def _launched(cls) -> Browser:
        """The one process of this browser: its contexts share neither cookies nor storage."""
        if cls._browser is None:
            # The shell has no windows to draw and opens a page in a third of the time.
            names = ("chromium-headless-shell", "chromium", "chromium-browser")
            binary = next(filter(None, map(shutil.which, names)), None)
            if not binary:
                raise EngineMissing("Chromium is not installed (Debian: apt-get install chromium)")
            cls._driver = sync_playwright().start()
            cls._browser = cls._driver.chromium.launch(
                executable_path=binary,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                proxy={"server": NOWHERE, "bypass": "127.0.0.1,localhost"},
            )
        return cls._browser

    @classmethod
    def quit(cls) -> None:
        """End the process, if there is one."""
        if cls._browser and cls._driver:
            cls._browser.close()
            cls._driver.stop()
        cls._browser = cls._driver = None

    def another(self, **options: Any) -> "Chromium":
        """Another person's page: the same browser, none of this one's cookies."""
        other = Chromium(**options)
        self._others.append(other)
        return other

    def open(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self.page.evaluate(f"() => ({expression})")

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def click_at(self, x: float, y: float) -> None:
        self.page.mouse.click(x, y)

    def tap_at(self, x: float, y: float) -> None:
        # Playwright's own refuses where the page was not told of a touch screen, as on a desk.
        session = self.context.new_cdp_session(self.page)
        session.send(
            "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
        )
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def set_offline(self, is_offline: bool) -> None:
        self.context.set_offline(is_offline)

    def screenshot(self, file: Path) -> None:
        self.page.screenshot(path=file)

    def close(self) -> None:
        for other in self._others:
            other.close()
        self.context.close()


class Firefox(Engine):
    """Firefox by WebDriver BiDi, through Puppeteer in a process of its own."""

    name = "firefox"

    # Nothing but this machine is reached, and no clock of the system's is asked for motion.
    PREFERENCES: ClassVar[dict[str, str | int | bool]] = {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": 9,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": 9,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "app.normandy.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
    }

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        binary = shutil.which("firefox-esr") or shutil.which("firefox")
        node = shutil.which("node")
        driver = ROOT / "widget/tests/engines/firefox.mjs"
        if not binary:
            raise EngineMissing("Firefox is not installed (Debian: apt-get install firefox-esr)")
        if not node or not (ROOT / "node_modules/puppeteer-core").is_dir():
            raise EngineMissing("Firefox's driver is not installed (Node.js, then: npm ci)")
        options = {"width": width, "height": height, "prefs": self.PREFERENCES}
        self._driver = subprocess.Popen(
            [node, str(driver), binary, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, *command: Any) -> Any:
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(command) + "\n")
        self._driver.stdin.flush()
        answer = json.loads(self._driver.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"Firefox: {command[0]}: {answer['error']}")
        return answer["value"]

    def open(self, url: str) -> None:
        self._ask("open", url)

    def evaluate(self, expression: str) -> Any:
        return self._ask("evaluate", f"({expression})")

    def press(self, keys: str) -> None:
        self._ask("press", keys)

    def type(self, text: str) -> None:
        self._ask("type", text)

    def click_at(self, x: float, y: float) -> None:
        self._ask("click", x, y)

    def tap_at(self, x: float, y: float) -> None:
        self._ask("tap", x, y)

    def set_offline(self, is_offline: bool) -> None:
        self._ask("offline", is_offline)

    def screenshot(self, file: Path) -> None:
        self._ask("screenshot", str(file))

    def close(self) -> None:
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.close()
        self._driver.wait(timeout=30)
        self._driver.stdout.close()


class WebKitGTK(Engine):
    """WebKitGTK's MiniBrowser by WebDriver, on a screen of its own that nobody sees."""

    name = "webkitgtk"
    has_touch = False

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
        driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
        if not browsers or not driver or not screen:
            raise EngineMissing(
                "WebKitGTK is not installed (Debian: apt-get install webkit2gtk-driver xvfb)"
            )
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._screen, display = _screen(screen, width, height)
        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(browsers[-1])
        options.add_argument("--automation")
        options.add_argument("--private")
        service = webdriver.WebKitGTKService(
            executable_path=driver,
            env={
                **os.environ,
                "DISPLAY": display,
                "HOME": self._home.name,
                "GDK_BACKEND": "x11",
                "LIBGL_ALWAYS_SOFTWARE": "1",
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            },
        )
        try:
            with warnings.catch_warnings():
                # Selenium's own WebKitGTK class uses what Selenium deprecates.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._driver = webdriver.WebKitGTK(options=options, service=service)
        except BaseException:
            self._end_screen()
            raise
        self._driver.set_window_size(width, height)

    def open(self, url: str) -> None:
        self._driver.get(url)

    def evaluate(self, expression: str) -> Any:
        return self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve().then(() => ({expression}))"
            ".then((value) => done([value ?? null]), (error) => done(String(error)));"
        )[0]

    def press(self, keys: str) -> None:
        *held, last = (_KEYS.get(key, key) for key in keys.split("+"))
        actions = ActionChains(self._driver, duration=0)
        for key in held:
            actions.key_down(key)
        actions.send_keys(last)
        for key in reversed(held):
            actions.key_up(key)
        actions.perform()

    def type(self, text: str) -> None:
        ActionChains(self._driver, duration=0).send_keys(text).perform()

    def click_at(self, x: float, y: float) -> None:
        actions = ActionChains(self._driver, duration=0)
        actions.w3c_actions.pointer_action.move_to_location(int(x), int(y)).click()
        actions.perform()

    def screenshot(self, file: Path) -> None:
        self._driver.save_screenshot(str(file))

    def close(self) -> None:
        try:
            self._driver.quit()
        finally:
            self._end_screen()

    def _end_screen(self) -> None:
        self._screen.terminate()
        self._screen.wait(timeout=10)
        self._home.cleanup()


_KEYS = {
    "Control": Keys.CONTROL,
    "Meta": Keys.META,
    "Shift": Keys.SHIFT,
    "Alt": Keys.ALT,
    "Enter": Keys.ENTER,
    "NumpadEnter": Keys.ENTER,
    "Escape": Keys.ESCAPE,
    "Tab": Keys.TAB,
    "Backspace": Keys.BACKSPACE,
}


def _screen(binary: str, width: int, height: int) -> tuple[subprocess.Popen[bytes], str]:
    """A virtual screen on a free display; its process and the display's name."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [binary, "-displayfd", str(writing), "-screen", "0", f"{width}x{height + 100}x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        return process, f":{answer.readline().strip()}"


ENGINES: dict[str, type[Engine]] = {
    "chromium": Chromium,
    "firefox": Firefox,
    "webkitgtk": WebKitGTK,
}


@contextmanager
def opened(name: str, **options: Any) -> Iterator[Engine]:
    """An engine by name, ended afterwards; raises EngineMissing where it is not installed."""
    engine = ENGINES[name](**options)
    try:
        yield engine
    finally:
        engine.close()


def required() -> bool:
    """Whether a missing engine is a failure, as in CI."""
    return os.environ.get("CORRIGENDA_REQUIRE_ALL") == "1"
