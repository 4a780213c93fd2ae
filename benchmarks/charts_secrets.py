"""How often the rules for secrets are right about real pairs of a name and a value.

FILE has a pair on each line, `S` or `N`, the name and the value, with tabs between them: `S` is a
secret that somebody wrote down (also a weak one, or one to be replaced that would be deployed as it
stands), `N` is anything else: settings, places of secrets, templates that are filled in later.

    .venv/bin/python -m benchmarks.charts_secrets FILE
"""

import argparse
from pathlib import Path

from windlass.charts.checks import secrets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    file: Path = parser.parse_args().file
    pairs = [line.split("\t", 2) for line in file.read_text().splitlines() if line]
    right = {True: 0, False: 0}
    wrong = {True: 0, False: 0}
    by_name_alone = 0
    for label, name, value in pairs:
        is_one, is_found = label == "S", secrets.is_secret(name, value) is not None
        (right if is_one == is_found else wrong)[is_found] += 1
        by_name_alone += secrets.says_secret(name)
        if is_one != is_found:
            print(f"{'found' if is_found else 'missed'}: {name} = {value[:70]}")
    found, there = right[True] + wrong[True], right[True] + wrong[False]
    named = sum(secrets.says_secret(name) and label == "S" for label, name, _ in pairs)
    print(f"{len(pairs)} pairs, {there} of them secrets")
    print(f"precision {right[True] / found:.1%} ({wrong[True]} found that are none)")
    print(f"recall    {right[True] / there:.1%} ({wrong[False]} missed)")
    print(f"by the name alone: precision {named / by_name_alone:.1%}, recall {named / there:.1%}")


if __name__ == "__main__":
    main()
