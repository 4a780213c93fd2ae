"""What is not part of a source, for the command line and the server alike."""

import pytest

from windlass.builds.ignore import kept


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "apps/web/.env",
        ".env.production",
        ".git/config",
        "sub/.git/HEAD",
        "node_modules/a/b.js",
        "a/node_modules/b",
        ".venv/bin/python",
        "a/__pycache__/b.pyc",
        ".DS_Store",
        "keys/id_rsa",
        ".next/cache/x",
        ".windlass/bin/pnpm",
    ],
)
def test_what_is_private_or_made_by_a_tool_is_left_out_whatever_the_rules_say(path: str):
    rules = {".windlassignore": "!*\n!.env\n!**/.env\n!node_modules/\n!.git\n"}

    assert kept([path, "a.txt"], rules) == ["a.txt"]


def test_examples_of_env_files_and_ordinary_files_are_kept():
    paths = [".env.example", "environment.ts", "src/env.js", ".gitignore", "git/x", "dist/a.js"]

    assert kept(paths, {}) == paths


def test_gitignore_and_windlassignore_are_honoured_and_the_latter_wins():
    rules = {".gitignore": "dist/\n*.log\n/top\n", ".windlassignore": "!dist/\nsecret*\n"}
    paths = ["dist/a", "x.log", "top", "sub/top", "secret.txt", "a"]

    assert kept(paths, rules) == ["dist/a", "sub/top", "a"]


def test_rules_of_a_subfolder_hold_below_it():
    rules = {"sub/.gitignore": "*.txt\n!keep.txt\n"}

    assert kept(["a.txt", "sub/a.txt", "sub/keep.txt"], rules) == ["a.txt", "sub/keep.txt"]


def test_a_line_that_is_no_pattern_is_passed_over():
    assert kept(["a", "b"], {".gitignore": "\ufeffa\n\x00\n!\n[z-a]\n***///\n"}) == ["b"]
