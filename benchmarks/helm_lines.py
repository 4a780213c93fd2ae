"""How many real Helm command lines are taken as they were pasted.

The lines are yours: a text file with commands as READMEs have them, separated by an empty line
where they have several lines. They are sorted into what a shell would have to fill in first
(variables, placeholders), what belongs to a checkout (charts in a folder), commands of other
kinds, and the rest: well-formed installs and upgrades, of which at least 95 % are to be taken.

    .venv/bin/python -m benchmarks.helm_lines LINES.txt [--refused]
"""

import argparse
import collections
import re
import sys
import time
from pathlib import Path

from windlass.charts.helm import line as helm_line
from windlass.charts.helm.flags import FLAGS, Treatment
from windlass.charts.helm.words import Refused, commands

NEEDS_A_SHELL = ("variable", "placeholder", "substitution", "empty", "several-commands", "quote")
OTHER = ("other-command", "command")
DANGEROUS = [f"--{one.name}" for one in FLAGS.values() if one.treatment is Treatment.refused]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("lines", type=Path)
    options.add_argument("--refused", action="store_true", help="print what is not taken, and why")
    given = options.parse_args()
    texts = split(given.lines.read_text(encoding="utf-8"))
    counts: collections.Counter[str] = collections.Counter()
    started = time.perf_counter()
    for text in texts:
        verdict, why = judged(text)
        counts[verdict] += 1
        if given.refused and verdict != "taken":
            print(f"{verdict}: {why}\n    {text.strip().splitlines()[-1].strip()[:110]}")
    seconds = time.perf_counter() - started
    print(f"{len(texts)} commands in {seconds * 1000:.0f} ms")
    for verdict, count in counts.most_common():
        print(f"{count:6}  {verdict}")
    well_formed = counts["taken"] + counts["refused"]
    share = counts["taken"] / well_formed if well_formed else 0.0
    print(f"well-formed: {well_formed}, taken: {share:.1%} (goal 95 %)")
    print(f"dangerous and taken: {counts['DANGEROUS AND TAKEN']} (goal 0)")
    return int(share < 0.95 or counts["DANGEROUS AND TAKEN"] > 0)


def split(text: str) -> list[str]:
    """Blocks between empty lines; a file of single lines is a command each."""
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    if len(blocks) > 1 or "\\\n" in text:
        return _joined(blocks)
    return [one for one in text.splitlines() if one.strip()]


def _joined(blocks: list[str]) -> list[str]:
    """A `helm repo add` of its own belongs to the command behind it."""
    joined: list[str] = []
    for block in blocks:
        if joined and not re.search(r"helm3? (install|upgrade)", joined[-1]):
            joined[-1] += "\n" + block
        else:
            joined.append(block)
    return joined


def judged(text: str) -> tuple[str, str]:
    try:
        helm_line.parse(text)
    except Refused as error:
        if error.code in NEEDS_A_SHELL:
            return "needs a shell or somebody to fill it in", str(error)
        if error.code == "chart-path":
            return "a chart in a folder", str(error)
        if error.code in OTHER:
            return "no install or upgrade", str(error)
        if error.code == "refused-option":
            return "dangerous and refused", str(error)
        if error.code == "release":
            return "a name that Helm refuses, too", str(error)
        return "refused", str(error)
    words = [word.text.partition("=")[0] for line in commands(text) for word in line]
    if any(word in DANGEROUS for word in words):
        return "DANGEROUS AND TAKEN", ""
    return "taken", ""


if __name__ == "__main__":
    sys.exit(main())
