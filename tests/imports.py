"""Who imports whom: every import of a module of ours, also inside of functions and under `TYPE_CHECKING`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent

Graph = Mapping[str, set[str]]
"""Module -> the modules of ours that it imports."""


def module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def imports(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    """(line, module) of every import, relative ones resolved; `from a import b` is a.b if that is a module."""
    package = module_of(path).split(".") + ([""] if path.endswith("__init__.py") else [])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(
                [*package[: len(package) - node.level], *filter(None, [node.module])]
                if node.level
                else [node.module or ""]
            )
            for alias in node.names:
                inner = ROOT / start.replace(".", "/") / alias.name
                is_module = inner.with_suffix(".py").is_file() or inner.is_dir() or start in ("urllib", "adapters")
                yield node.lineno, f"{start}.{alias.name}" if is_module else start


def graph(sources: Mapping[str, str]) -> Graph:
    """The modules of these sources (path -> text) and what they import of each other."""
    modules = {module_of(path) for path in sources}
    return {
        module_of(path): {name for _, name in imports(ast.parse(source), path) if name in modules} - {module_of(path)}
        for path, source in sources.items()
    }


def circles(arrows: Graph) -> list[tuple[str, ...]]:
    """Groups of modules that all import each other, by whatever way."""
    reached = {module: _reached(arrows, module) for module in arrows}
    groups = {tuple(sorted(n for n in reached[m] if m in reached[n])) for m in arrows if m in reached[m]}
    return sorted(groups)


def _reached(arrows: Graph, module: str) -> set[str]:
    found: set[str] = set()
    ahead = set(arrows[module])
    while ahead:
        found |= ahead
        ahead = {further for each in ahead for further in arrows[each]} - found
    return found
