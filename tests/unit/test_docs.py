"""Documents say what the code does: settings, commands, packages, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from bot.cli import main
from bot.observe import Metrics
from bot.settings import Settings, load_settings, variables
from tests.benchmarks import measured
from tests.support.docs import documents
from tests.support.layout_rules import INNER_LAYERS, LAYERS, LONGEST_FILE, LONGEST_FUNCTION, read
from tests.support.project import ROOT
from tests.support.references import files
from tests.unit.delivery.scenarios import SCENARIOS, Scenario

DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in (".", "deploy", "docs")
    for path in sorted((ROOT / folder).glob("*.md"))
}
README, GUIDE = DOCUMENTS["README.md"], DOCUMENTS["deploy/README.md"]
MEASURED, GUIDELINES = DOCUMENTS["docs/measured.md"], DOCUMENTS["CONTRIBUTING.md"]
ARCHITECTURE = DOCUMENTS["docs/architecture.md"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NAMES = {name for _, name, _ in variables()}
EACH = pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)

# Written in pieces, so that this file does not hold what it looks for.
NOWHERE = re.compile(
    "|".join(
        [
            r"(?<![\w.-])/(?:work|root|home/\w+)" + "/",
            "pypi" + r"\.org",
            "pythonhosted" + r"\.org",
            "registry" + r"\.npmjs",
            "deb" + r"\.debian\.org",
            r"--(?:extra-)?index-" + "url",
            "--find-" + "links",
        ]
    )
)


@pytest.mark.parametrize("path", documents())
def test_generated_parts_of_documents_are_current(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")

    assert written == documents()[path], f"{path} differs from the code: run `make docs`"


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which nothing of ours is set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_variables")
def test_example_settings_are_the_defaults() -> None:
    assert _values(load_settings(ROOT / ".env.example")) == _values(load_settings(None))


@pytest.mark.usefixtures("no_variables")
def test_example_defaults_can_all_be_loaded(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    uncommented = tmp_path / ".env"
    uncommented.write_text(re.sub(r"^#(?=[A-Z])", "", text, flags=re.M), encoding="utf-8")

    assert _values(load_settings(uncommented)) == _values(load_settings(None))


def _values(settings: Settings) -> dict[str, object]:
    groups = (getattr(settings, name) for name in Settings.__slots__)
    return {key: value for group in groups for key, value in group.model_dump().items()}


def test_variables_are_all_described_and_listed_once() -> None:
    listed = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.M)

    assert sorted(listed) == sorted(NAMES)
    assert [name for _, name, field in variables() if not field.description] == []


@EACH
def test_variables_named_in_documents_exist(text: str) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`|^([A-Z]+(?:_[A-Z]+)+)=", text, re.M))
    of_others = {"POSTGRES_PASSWORD"}  # read by PostgreSQL's own image

    assert {a or b for a, b in named} - of_others <= NAMES


def test_readme_names_every_command() -> None:
    assert isinstance(main, click.Group)

    assert [name for name in main.commands if f"`bot {name}" not in README] == []


@EACH
def test_commands_named_in_documents_exist(text: str) -> None:
    assert isinstance(main, click.Group)
    named = set(re.findall(r"(?:`|/)bot ([a-z]+)", text)) | set(re.findall(r"--rm bot (\w+)", text))

    assert named <= set(main.commands)


def test_options_that_are_named_exist() -> None:
    assert isinstance(main, click.Group)
    options = {o for command in main.commands.values() for p in command.params for o in p.opts}

    assert {"--json", "--http"} <= options


def test_readme_names_every_make_target() -> None:
    assert [target for target in _targets() if f"`make {target}" not in README] == []


@EACH
def test_make_targets_named_in_documents_exist(text: str) -> None:
    blocks, inline = re.findall(r"```sh\n(.*?)```", text, re.S), re.findall(r"`([^`\n]+)`", text)
    named = {w for code in [*blocks, *inline] for w in re.findall(r"\bmake ([a-z]+)", code)}

    assert named <= _targets()


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.M))


def test_readme_has_a_line_for_every_package() -> None:
    packages = {m.package for m in read(ROOT).values()} - {"bot", "__main__"}

    assert [package for package in packages if f"`{package}`" not in README] == []


def test_metrics_named_in_documents_exist() -> None:
    named = set(re.findall(r"`(bot_[a-z_]+)`", GUIDE))

    assert named
    assert named <= _metrics()


def test_deployment_guide_has_a_line_for_every_metric() -> None:
    assert [name for name in _metrics() if f"`{name}`" not in GUIDE] == []


def _metrics() -> set[str]:
    exposed = Metrics().render().decode()
    return {name for name in re.findall(r"^# TYPE (\w+) ", exposed, re.M) if "_created" not in name}


def test_readme_links_every_document() -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", README)}

    assert [path for path in DOCUMENTS if path not in linked | {"README.md"}] == []


@EACH
def test_paths_named_in_documents_exist(text: str) -> None:
    named = re.findall(r"`((?:bot|deploy|docs|tests|\.ci|\.github)/[\w./-]*)`", text)
    named += re.findall(r"`(\w+\.(?:md|toml|lock)|\.env\.example)`", text)
    beside = {"bot.service", "compose.yaml"}  # named in deploy/README.md by their names alone

    assert [path for path in set(named) - beside if not (ROOT / path).exists()] == []


def test_names_that_are_said_to_stand_in_a_file_stand_there() -> None:
    text = " ".join(GUIDELINES.split())
    told = re.findall(r"((?:`[\w.]+`(?:,| and)? )+)(?:\w+ )?in `([\w./]+\.py)`", text)
    names = [(name, path) for names, path in told for name in re.findall(r"`([\w.]+)`", names)]

    assert len(names) > 8
    assert [
        (name, path)
        for name, path in names
        if not re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text("utf-8"))
    ] == []


@pytest.mark.parametrize("text", [GUIDELINES, ARCHITECTURE], ids=["CONTRIBUTING", "architecture"])
def test_layers_in_documents_are_those_that_imports_are_held_to(text: str) -> None:
    drawn = re.search(r"```\n(cli\n.*?)```", text, re.S)

    assert drawn
    assert [set(line.split()) for line in drawn[1].splitlines()] == list(LAYERS)


def test_names_of_code_in_the_glossary_stand_in_the_code() -> None:
    names = re.findall(r"\(`(\w+)`\)", DOCUMENTS["docs/glossary.md"])
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "bot").rglob("*.py"))

    assert len(names) > 10
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []


def test_layers_inside_packages_are_those_that_imports_are_held_to() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.*→.*) \|$", ARCHITECTURE, re.M)
    drawn = {
        package: [set(re.findall(r"`(\w+)`", layer)) for layer in layers.split("→")]
        for package, layers in rows
    }

    assert drawn == {package: [*map(set, layers)] for package, layers in INNER_LAYERS.items()}


def test_lengths_in_the_guidelines_are_those_of_the_layout_rules() -> None:
    longest = re.findall(r"at most (\d+) lines, and a function at most (\d+)", GUIDELINES)

    assert longest == [(str(LONGEST_FILE), str(LONGEST_FUNCTION))]


@EACH
def test_modules_run_in_documents_exist(text: str) -> None:
    named = set(re.findall(r"python -m ([\w.]+)", text)) - {"bot"}

    assert [name for name in named if find_spec(name) is None] == []


def test_measured_table_has_a_line_for_every_scenario_of_the_simulator() -> None:
    table = MEASURED.partition(measured.BEGIN)[2].partition(measured.END)[0]

    assert re.findall(r"^\| (?!questions)(.+?) \|", table, re.M) == [s.name for s in SCENARIOS]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS[:2], ids=lambda s: s.name)
def test_figures_measured_in_virtual_time_are_reproduced(scenario: Scenario) -> None:
    again = "run `python -m tests.benchmarks.measured`"

    assert measured.row(scenario) in MEASURED.splitlines(), f"the simulator says otherwise: {again}"


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        ("7,535", r"processes killed in all \| ([\d,]+) \| ([\d,]+)"),
        ("5,826", r"questions (?:with|while) .* \| ([\d,]+) \| ([\d,]+)"),
    ],
)
def test_totals_in_the_readme_are_those_of_the_measured_tables(total: str, parts: str) -> None:
    numbers = [n for pair in re.findall(parts, MEASURED) for n in pair]

    assert total in README
    assert total == f"{sum(int(n.replace(',', '')) for n in numbers):,}"


def test_files_name_no_machine_path_and_no_package_index() -> None:
    assert [where for path in files(ROOT) for where in _named(path)] == []


def _named(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        if found := NOWHERE.search(line):
            yield f"{path.relative_to(ROOT)}:{number} names {found.group()}"
