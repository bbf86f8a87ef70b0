"""What stands around the code agrees with it: hooks, CI, templates for issues and changes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import ROOT

GITHUB = ROOT / ".github"
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


WORKFLOW: dict[str, Any] = read(GITHUB / "workflows" / "ci.yml")
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_hooks_before_a_commit_run_what_make_check_runs() -> None:
    recipe = re.search(r"^check: .*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    repositories = read(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]

    assert recipe
    commands = recipe[1].replace("$(ours)", ".venv/bin/python").replace("\t", "").splitlines()
    assert [hook["entry"] for hook in hooks] == commands
    assert {repository["repo"] for repository in repositories} == {"local"}
    assert all(hook["always_run"] and not hook["pass_filenames"] for hook in hooks)


def test_workflow_runs_the_ci_script_on_its_system() -> None:
    jobs = WORKFLOW["jobs"].values()
    (job,) = [job for job in jobs if {"run": ".ci/run"} in job["steps"]]

    assert job["container"].startswith("debian:")


def test_workflow_tries_every_python_from_the_oldest_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tried = WORKFLOW["jobs"]["python"]["strategy"]["matrix"]["python"]
    minors = [int(python.removeprefix("3.")) for python in tried]

    assert project["requires-python"] == f">={tried[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_workflow_has_no_secrets_and_pins_actions_to_a_major_version() -> None:
    text = (GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8")
    actions = [step["uses"] for step in STEPS if "uses" in step]

    assert "secrets" not in text
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [action for action in actions if not re.fullmatch(r"actions/[\w-]+@v\d+", action)] == []


def test_make_targets_of_the_workflow_exist() -> None:
    scripts = " ".join(step.get("run", "") for step in STEPS)
    targets = set(re.findall(r"\bmake ([a-z-]+)", scripts))

    assert targets <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))


def test_tests_that_make_names_exist() -> None:
    named = set(re.findall(r"\btests/[\w/]+(?:\.py)?", MAKEFILE))

    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_are_valid_for_github(path: Path) -> None:
    form = read(path)
    if path.name == "config.yml":
        assert set(form) <= {"blank_issues_enabled", "contact_links"}
        return
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]

    assert form["name"]
    assert form["description"]
    assert len(set(ids)) == len(ids)
    assert {field["type"] for field in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert all(field["attributes"]["label"] for field in fields)


def test_templates_name_existing_files_and_targets() -> None:
    texts = [path.read_text("utf-8") for path in (*FORMS, GITHUB / "pull_request_template.md")]
    code = [word for text in texts for word in re.findall(r"`([^`\n]+)`", text)]
    files = [word for word in code if re.search(r"\.(md|yaml|toml)$", word)]
    targets = {word.split()[1] for word in code if word.startswith("make ")}

    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert targets <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))


def test_ci_script_requires_recorded_data_unless_the_workflow_has_none() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    jobs = WORKFLOW["jobs"].values()
    (job,) = [job for job in jobs if {"run": ".ci/run"} in job["steps"]]

    assert 'REQUIRE_RECORDED="${REQUIRE_RECORDED:-1}"' in script
    assert job["env"] == {"REQUIRE_RECORDED": 0}
