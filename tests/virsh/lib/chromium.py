# SPDX-License-Identifier: LGPL-2.1-or-later
"""A page in headless Chromium, driven through its DevTools protocol on a pipe: no port, no library."""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

TIMEOUT = 60


class Page:
    def __init__(self, path, width=1400, height=1000):
        self.dir = tempfile.mkdtemp(prefix="vw-chromium-")
        self.number = 0
        self.events = []
        self.rest = b""
        to_r, to_w = os.pipe()
        from_r, from_w = os.pipe()
        for fd in (to_r, to_w, from_r, from_w):
            os.set_inheritable(fd, False)

        def plumb():  # the browser reads from 3 and writes to 4
            high = [os.dup2(to_r, 60), os.dup2(from_w, 61)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.browser = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             f"--window-size={width},{height}", f"--user-data-dir={self.dir}", "about:blank"],
            preexec_fn=plumb, close_fds=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, HOME=self.dir, TMPDIR=self.dir))
        os.close(to_r)
        os.close(from_w)
        self.to, self.fro = to_w, from_r
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        self.wait_for("Page.loadEventFired")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.to)
        os.close(self.fro)
        os.killpg(self.browser.pid, signal.SIGKILL)
        self.browser.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def receive(self):
        end = time.monotonic() + TIMEOUT
        while b"\0" not in self.rest:
            if time.monotonic() > end:
                raise TimeoutError("chromium says nothing")
            more = os.read(self.fro, 1 << 20)
            if not more:
                raise EOFError("chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, event):
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.receive())

    def js(self, expression):
        """The value of an expression on the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, selector):
        """A real click, where the user sees the element."""
        x, y = self.js("(e => { e.scrollIntoView({block: 'center', inline: 'center'});"
                       "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })"
                       f"(document.querySelector({json.dumps(selector)}))")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """Errors of scripts, refused contents, and what was fetched beside the page itself."""
        self.js("0")
        found = []
        for e in self.events:
            method, p = e.get("method"), e.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(p["exceptionDetails"].get("text", "exception"))
            elif method == "Log.entryAdded" and p["entry"]["level"] == "error":
                found.append(p["entry"]["text"])
            elif method == "Network.requestWillBeSent" and p.get("type") != "Document":
                found.append("fetches " + p["request"]["url"])
            elif method == "Page.javascriptDialogOpening":
                found.append("dialog " + p["message"])
        return found
