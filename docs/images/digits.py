"""Draws docs/images/digits.svg from a finished run, with the standard library only.

    strata search experiments/digits.toml
    python docs/images/digits.py runs/digits-1 > docs/images/digits.svg
"""
import json
import math
import subprocess
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 400, 62, 200, 46, 46
INK, MUTED, GRID, TRIAL, BEST, BASE = "#24292f", "#57606a", "#d8dee4", "#54aeff", "#0550ae", "#bc4c00"


def strata(*arguments):
    return subprocess.run(["strata", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def main(run):
    trials = [json.loads(line) for line in strata("trials", run, "--json").splitlines()]
    finals = json.loads(strata("best", run, "--json"))["finals"]
    scored = [trial for trial in trials if trial["score"] is not None]
    high = max(trial["params"] for trial in scored)
    smallest = min(trial["params"] for trial in scored)
    x = lambda params: LEFT + (WIDTH - LEFT - RIGHT) * math.log(params / smallest) / math.log(high / smallest)
    # Errors on a logarithmic scale: half an example stands for none, which has no logarithm.
    floor, ceiling = 0.5 / 359, 1.0
    y = lambda error: TOP + (HEIGHT - TOP - BOTTOM) * (
        1 - math.log(max(error, floor) / floor) / math.log(ceiling / floor)
    )
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="24" fill="{INK}" font-size="15">{len(trials)} networks tried on the 8x8 digits</text>',
    ]
    for error in (0.001, 0.01, 0.1, 1.0):
        if error >= floor:
            at = y(error)
            out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
            out.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="{MUTED}">{100 * error:g}%</text>')
    out.append(f'<text x="{LEFT - 8}" y="{y(0) + 4:.1f}" text-anchor="end" fill="{MUTED}">none</text>')
    out.append(f'<text x="{LEFT}" y="{TOP - 6}" fill="{MUTED}">validation examples read wrongly</text>')
    for params in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000):
        if smallest <= params <= high:
            at = x(params)
            out.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GRID}"/>')
            label = f"{params // 1000}k"
            out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="{MUTED}">{label}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle" fill="{MUTED}">parameters</text>')
    winner = json.loads(strata("best", run, "--json"))["trial"]["trial"]
    for trial in scored:
        best = trial["trial"] == winner
        # Later trials are darker: what evolution learned.
        share = 0.25 + 0.75 * trial["trial"] / max(1, len(trials) - 1)
        fill = BASE if best else TRIAL
        out.append(
            f'<circle cx="{x(trial["params"]):.1f}" cy="{y(1 - trial["score"]):.1f}" r="{7 if best else 4.5}" '
            f'fill="{fill}" fill-opacity="{1 if best else share:.2f}" stroke="{BEST}" stroke-opacity="{share:.2f}"/>'
        )
    legend = WIDTH - RIGHT + 18
    out.append(f'<text x="{legend}" y="{TOP + 12}" fill="{INK}">test accuracy, {len(finals[0]["scores"])} seeds</text>')
    for row, final in enumerate(finals):
        name = final["subject"] if isinstance(final["subject"], str) else final["subject"]["baseline"]
        weight = "bold" if name == "winner" else "normal"
        color = BASE if name == "winner" else INK
        at = TOP + 36 + 20 * row
        out.append(f'<text x="{legend}" y="{at}" fill="{color}" font-weight="{weight}">{name}</text>')
        out.append(
            f'<text x="{WIDTH - 14}" y="{at}" text-anchor="end" fill="{color}" font-weight="{weight}">{final["mean"]:.4f}</text>'
        )
    at = TOP + 36 + 20 * len(finals) + 16
    for line in ("dot: a trial, darker if later", "large dot: the winner"):
        out.append(f'<text x="{legend}" y="{at}" fill="{MUTED}">{line}</text>')
        at += 16
    out.append("</svg>")
    print("\n".join(out))


if __name__ == "__main__":
    main(sys.argv[1])
