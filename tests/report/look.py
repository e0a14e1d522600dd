"""Opens a report in headless Chromium: desktop and phone, light and dark.

    apt-get install chromium
    python tests/report/look.py runs/digits-compare-1/report.html screenshots/

Writes a picture of each, and fails if the browser's console has an error, the page asks for anything, its body is
wider than the window, or the script did not run. What the pictures show is for a person to look at.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

page, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
PROBE = """<script>addEventListener("load", () => { const wide = document.documentElement.scrollWidth;
document.title = ["probe", wide, innerWidth, document.documentElement.classList.contains("js"),
performance.getEntriesByType("resource").filter((r) => !r.name.startsWith("data:")).length].join(" "); });</script>"""


def chromium(*arguments):
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--in-process-gpu",
               "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-sync",
               "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
               "--enable-logging=stderr", "--virtual-time-budget=3000", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


failed = []
with tempfile.TemporaryDirectory() as scratch:
    probed = Path(scratch) / "report.html"
    probed.write_text(page.read_text() + PROBE)
    for size, name in [((1280, 900), "desktop"), ((500, 900), "phone")]:
        for scheme, code in [("light", 1), ("dark", 0)]:
            look = [f"--blink-settings=preferredColorScheme={code}", f"--user-data-dir={scratch}/profile"]
            tall = "--window-size=%d,%d" % (size[0], 9000)
            picture = folder / f"{name}-{scheme}.png"
            shot = chromium(*look, tall, f"--screenshot={picture.resolve()}", page.as_uri())
            dump = chromium(*look, "--window-size=%d,%d" % size, "--dump-dom", probed.as_uri())
            errors = [line for line in (shot.stderr + dump.stderr).splitlines() if "CONSOLE" in line]
            failed += [f"{name} {scheme}: {line}" for line in errors]
            found = re.search(r"<title>probe (\d+) (\d+) (\w+) (\d+)</title>", dump.stdout)
            if not found:
                failed.append(f"{name} {scheme}: the page did not load")
                continue
            wide, window, script, asked = found.groups()
            if int(wide) > int(window):
                failed.append(f"{name} {scheme}: {wide} wide in a window of {window}")
            if script != "true" or asked != "0":
                failed.append(f"{name} {scheme}: script {script}, {asked} requests")
            print(f"{name} {scheme}: {wide} of {window} pixels wide, {picture}")
print("\n".join(failed) or "no error in the console, nothing loaded, nothing wider than its window")
sys.exit(bool(failed))
