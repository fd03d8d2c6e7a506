"""The outside of the project: links lead somewhere, locks agree, the container copies what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from docs.generate import ROOT
from docs.rules import anchor
from gateway.cli.tx import command as tx

PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("adapters/**/*.md"), *ROOT.glob("config/*.md")]
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+) \\$", re.MULTILINE)


def read(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    return {anchor(title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for file, within in LINK.findall(read(page)):
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), f"{page}: {file} is not there"
        if within:
            assert within in anchors(target.read_text(encoding="utf-8")), f"{page}: {file}{within} is not there"


def test_what_is_not_in_this_version_is_not_in_it() -> None:
    page = read("docs/semantics.md").split("## Not in this version")[1]
    announced = set(re.findall(r"`gateway tx (\w+)`", page))
    assert not announced & set(tx.commands)
    named = {word for each in PAGES for word in re.findall(r"\bgateway tx ([a-z]+)", read(each))}
    assert named - announced <= set(tx.commands)


# ---------------------------------------------------------------- locks


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall(read(name)))


def name_of(requirement: str) -> str:
    return re.sub(r"[._]", "-", re.split(r"[<>=!~; \[]", requirement)[0]).lower()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    build = {name_of(each) for each in project["build-system"]["requires"]}
    run = {name_of(each) for each in project["project"]["dependencies"]} | build
    develop = {name_of(each) for each in project["project"]["optional-dependencies"]["dev"]}
    assert run <= set(pins("requirements-run.lock"))
    assert run | develop <= set(pins("requirements.lock"))


def test_the_locks_agree() -> None:
    assert pins("requirements-run.lock").items() <= pins("requirements.lock").items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-run.lock"])
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = read(name)
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert not re.search(r"://|^--|^-[a-z] ", text, re.MULTILINE)


# ---------------------------------------------------------------- the container


def test_the_container_copies_what_there_is() -> None:
    allowed = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    for each in allowed:
        assert (ROOT / each).exists(), f".dockerignore allows {each}, which is not there"
    project = tomllib.loads(read("pyproject.toml"))["project"]
    for needed in (
        "pyproject.toml",
        "requirements-run.lock",
        "gateway",
        "adapters",
        project["readme"],
        *project["license-files"],
    ):
        assert needed in allowed, f"the image cannot be built without {needed}"


def test_the_container_keeps_its_promises() -> None:
    _, build, last = read("Dockerfile").split("\nFROM ")
    assert "--require-hashes" in build
    for promised in ("USER 10001", "HEALTHCHECK", "/livez", "EXPOSE 8080 9090"):
        assert promised in last
