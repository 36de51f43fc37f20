"""Words that are not used here for what has a name of its own: `make lint` looks for them in names and in prose.

A name is the term that Slack, Clear Street, trading or Python people use already. Prose is what stands in comments and
docstrings; texts that people read in Slack have tests of their own.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The word, and what to say instead: in names and in prose.
BANNED = {
    "alarm clock": "scheduler, or timer",
    "doors": "layers, ports or endpoints",
    "exhibit": "market card",
    "exhibits": "market cards",
    "farewell": "uninstall or deactivation",
    "farewells": "uninstall or deactivation",
    "front door": "the Slack adapter",
    "generation": "revision",
    "generations": "revisions",
    "house": "deployment, or session",
    "lever": "control",
    "levers": "controls",
    "notary": "consent policy",
    "remedies": "prompts",
    "remedy": "prompt",
    "rooms": "packages",
    "stumble": "fail, or retry",
    "stumbles": "fails, or retries",
    "whisper": "ephemeral message",
    "whispers": "ephemeral messages",
}
#: Ordinary words in a sentence, and none as a name.
BANNED_AS_NAMES = BANNED | {
    "aside": "in the background",
    "asides": "answer actions",
    "door": "layer, port or endpoint",
    "figure": "chart, or measurement",
    "figures": "charts, or measurements",
    "hall": "turn engine",
    "hurry": "wake",
    "looking": "market reader, or lookup",
    "poke": "wake",
    "ring": "callback",
    "rings": "callbacks",
    "room": "package, or space",
    "standing": "status",
    "watching": "polling",
}
#: A desk is a trading desk.
DESK = re.compile(r"(?<!trading )(?<!head of )\bdesks?\b(?!-)", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PROSE = re.compile(r"\b(" + "|".join(BANNED) + r")\b", re.IGNORECASE)
#: What others call so: their names stay.
_THEIRS = re.compile(r"`[^`]*`|“[^”]*”|\"[^\"]*\"|'[^']*'")


def complaints(path: Path) -> Iterator[str]:
    """Every banned word of a Python file, with its line and what to say instead."""
    text = path.read_text()
    where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    for line, name in _names(text):
        for word in (found[0].lower() for found in _WORD.finditer(name)):
            if word in BANNED_AS_NAMES and not name.startswith("test_"):
                yield f"{where}:{line}: {name}: say {BANNED_AS_NAMES[word]}"
    for line, prose in _prose(text):
        said = _THEIRS.sub("", prose)
        for found in _PROSE.finditer(said):
            yield f"{where}:{line}: “{found[0]}”: say {BANNED[found[0].lower()]}"
        if DESK.search(said):
            yield f"{where}:{line}: “desk” is a trading desk only"


def _names(text: str) -> Iterator[tuple[int, str]]:
    """Names that are made here: of functions, classes, arguments and variables; those of others stay."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def _prose(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for offset, line in enumerate(node.value.value.splitlines()):
                yield node.lineno + offset, line


def files() -> list[Path]:
    """The Python files of the repository."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def main() -> int:
    found = [complaint for path in files() if path != Path(__file__) for complaint in complaints(path)]
    print("\n".join(found) or "No banned word.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
