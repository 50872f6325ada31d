"""The READMEs: the Korean one says what the English one says, and what both name is there."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from train.cli import parser
from train.loading import load_recipe, shipped_recipes

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ko.md")
FIGURE = re.compile(r"[−+-]?\.?\d+(?:[.,]\d+)*")
LINK = re.compile(r"\[[^]]*]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; `blocks` are the fenced ones with their language, `prose` is the rest."""

    level: int
    title: str
    prose: str
    blocks: tuple[tuple[str, str], ...]


@cache
def sections(readme: str) -> tuple[Section, ...]:
    found: list[Section] = []
    language: str | None = None
    lines: list[str] = []
    blocks: list[tuple[str, str]] = []
    fenced: list[str] = []
    for line in [*(ROOT / readme).read_text(encoding="utf-8").splitlines(), "# end"]:
        if line.startswith("```") and language is None:
            language, fenced = line.removeprefix("```"), []
        elif line.startswith("```"):
            blocks.append((str(language), "\n".join(fenced)))
            language = None
        elif language is not None:
            fenced.append(line)
        elif re.match(r"#+ ", line):
            if lines:
                marks, _, title = lines[0].partition(" ")
                found.append(Section(len(marks), title, "\n".join(lines[1:]), tuple(blocks)))
            lines, blocks = [line], []
        else:
            lines.append(line)
    assert language is None, f"{readme}: a block is not closed"
    return tuple(found)


def code_spans(text: str) -> list[str]:
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def without_comments(language: str, block: str) -> str:
    """A block's code in a form that leaves out comments and the blanks before them."""
    if language == "python":
        return ast.dump(ast.parse(block))
    return "\n".join(shlex.join(shlex.split(line, comments=True)) for line in block.splitlines())


def code(section: Section) -> Hashable:
    return tuple((language, without_comments(language, block)) for language, block in section.blocks)


def named_in_code(section: Section) -> Hashable:
    return frozenset(code_spans(section.prose))


def links(section: Section) -> Hashable:
    return frozenset(LINK.findall(section.prose)) - set(READMES)


def figures(section: Section) -> Hashable:
    """Every number, how often it stands there; comments in blocks included."""
    texts = [section.prose, *(block for _, block in section.blocks)]
    return tuple(sorted(FIGURE.findall("\n".join(texts))))


def table(section: Section) -> Hashable:
    """For each row, its cells: the numbers and the code in each."""
    rows = [line for line in section.prose.splitlines() if line.startswith("|")]
    cells = [re.sub(r"`[^`]*`", lambda span: span[0].replace("|", " "), row).split("|")[1:-1] for row in rows]
    return tuple(tuple((tuple(FIGURE.findall(cell)), tuple(code_spans(cell))) for cell in row) for row in cells)


def lists(section: Section) -> Hashable:
    return len(re.findall(r"^\s*(?:[-*]|\d+\.) ", section.prose, flags=re.MULTILINE))


def commands(readme: str) -> list[str]:
    """Every line of a shell block and every code span that begins with a command, without comments."""
    found = []
    for section in sections(readme):
        for language, block in section.blocks:
            if language == "bash":
                found += without_comments(language, block).splitlines()
        # In a container whose entrypoint is accelerate, the image's name stands where that would.
        found += code_spans(re.sub(r"(--entrypoint accelerate`[^\n]*`)openbook ", r"\1accelerate ", section.prose))
    return found


def openbook_commands() -> list[tuple[str, str]]:
    """README and arguments of every `openbook VERB …` that is named, also as what accelerate launches."""
    pattern = re.compile(r"(?:^|[ /])openbook ((?:--\w+ )*[a-z].*)")
    found = [(readme, pattern.search(command)) for readme in READMES for command in commands(readme)]
    return [(readme, match[1]) for readme, match in found if match]


def launches() -> list[tuple[str, str]]:
    """README and arguments of every `accelerate launch …`."""
    found = [(readme, command) for readme in READMES for command in commands(readme)]
    return [(readme, text.removeprefix("accelerate launch ")) for readme, text in found if "accelerate launch" in text]


def settings() -> list[tuple[str, str]]:
    """README and options of every code span that is nothing but options to set fields with."""
    return [(readme, command) for readme in READMES for command in commands(readme) if command.startswith("--set ")]


def parsed(arguments: str) -> argparse.Namespace:
    try:
        return parser().parse_args(shlex.split(arguments))
    except SystemExit:
        pytest.fail(f"openbook does not understand: openbook {arguments}")


def options_of(verb: str) -> set[str]:
    top = parser()
    verbs = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    return {*top._option_string_actions, *verbs.choices[verb]._option_string_actions}


# What both say


def test_the_readmes_lead_to_each_other_before_anything_else():
    for readme, (label, other) in zip(READMES, [("한국어", "README.ko.md"), ("English", "README.md")], strict=True):
        assert sections(readme)[0].prose.lstrip().startswith(f"[{label}]({other})\n")


def test_the_headings_are_as_many_at_every_level_in_the_same_order():
    english, korean = ([section.level for section in sections(readme)] for readme in READMES)
    assert english == korean
    assert english.count(1) == 1
    assert english.count(2) > 1


@pytest.mark.parametrize("part", [code, named_in_code, links, figures, table, lists])
def test_every_section_has_the_same(part: Callable[[Section], Hashable]):
    english, korean = map(sections, READMES)
    pairs = [(section.title, part(section), part(twin)) for section, twin in zip(english, korean, strict=True)]
    assert [(title, one) for title, one, _ in pairs] == [(title, other) for title, _, other in pairs]
    assert len({one for _, one, _ in pairs}) > 1, "there is something to compare"


def test_the_korean_readme_is_korean():
    for section in sections("README.ko.md"):
        prose = re.sub(r"`[^`]*`", "", LINK.sub("", section.prose))
        letters = Counter("한" if "가" <= letter <= "힣" else "A" for letter in prose if letter.isalpha())
        assert letters["한"] > letters["A"], section.title


@pytest.mark.parametrize("readme", READMES)
def test_emphasis_closes_where_it_is_meant_to(readme: str):
    """A mark between punctuation and a letter does not count as one, such as before a particle: `**(x)**은`."""
    marked = re.compile(r"(\w?)(\*{1,2})(?=[^\s*])((?:(?!\n\n)[^*])+?)(?<=\S)\2(\w?)")
    for section in sections(readme):
        prose = re.sub(r"`[^`]*`", lambda span: re.sub(r"\w", "x", span[0]), section.prose)
        for before, _, text, after in marked.findall(prose):
            assert not before or text[0].isalnum(), text
            assert not after or text[-1].isalnum(), text


# What is named is there


@pytest.mark.parametrize("readme", READMES)
def test_every_relative_link_leads_to_a_file(readme: str):
    targets = [target for section in sections(readme) for target in LINK.findall(section.prose) if ":" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target.partition("#")[0]).is_file()] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_script_is_there(readme: str):
    scripts = set(re.findall(r"scripts/[\w.]+", "\n".join(commands(readme))))
    assert "scripts/quickstart.sh" in scripts
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


@pytest.mark.parametrize(("readme", "arguments"), openbook_commands())
def test_openbook_understands_the_command_and_knows_the_recipe(readme: str, arguments: str):
    options = parsed(arguments)
    given = {word.partition("=")[0] for word in shlex.split(arguments) if word.startswith("-")}
    assert given <= options_of(options.verb), "written out, not abbreviated"
    recipe = getattr(options, "recipe", "RECIPE")
    if recipe != "RECIPE" and not recipe.endswith(".py"):
        assert recipe in shipped_recipes()


@pytest.mark.parametrize("readme", READMES)
def test_the_commands_are_found_wherever_they_stand(readme: str):
    named = [arguments for where, arguments in openbook_commands() if where == readme]
    assert {"run quickstart", "verify runs/quickstart", "merge RUN --arm open-book --out DIR"} <= set(named)
    assert {"run RECIPE", "run /data/my_recipe.py"} <= set(named), "in the table for containers"
    assert {"chat", "check", "compare", "init"} <= {arguments.split()[0] for arguments in named}


@pytest.mark.parametrize(("readme", "arguments"), launches())
def test_accelerate_understands_the_launch(readme: str, arguments: str):
    from accelerate.commands.launch import launch_command_parser

    try:
        options = launch_command_parser().parse_args(shlex.split(arguments))
    except SystemExit:
        pytest.fail(f"accelerate does not understand: accelerate launch {arguments}")
    assert options.no_python
    assert options.training_script == "openbook"
    assert parsed(shlex.join(options.training_script_args)).verb == "run"


@pytest.mark.parametrize("readme", READMES)
def test_several_ways_to_launch_are_found(readme: str):
    assert len([where for where, _ in launches() if where == readme]) >= 3


@pytest.mark.parametrize("readme", READMES)
def test_the_recipe_that_is_shown_loads_and_takes_the_settings_that_are_shown(readme: str, tmp_path: Path):
    (shown,) = (block for each in sections(readme) for language, block in each.blocks if language == "python")
    file = tmp_path / "my_recipe.py"
    file.write_text(shown, encoding="utf-8")
    plain = load_recipe(str(file))
    own = [arguments for where, arguments in settings() if where == readme]
    assert len(own) >= 2
    for arguments in own:
        assert load_recipe(str(file), parsed(f"run {shlex.quote(str(file))} {arguments}").settings) != plain


@pytest.mark.parametrize("readme", READMES)
def test_every_build_argument_is_one_of_the_dockerfile(readme: str):
    named = set(re.findall(r"--build-arg (\w+)=", (ROOT / readme).read_text(encoding="utf-8")))
    known = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named
    assert named <= known
