"""The rules for the layout of `bot/` as data, and the checks that find what breaks them.

Imports are read from the source with `ast`, wherever they stand: in functions, under
`TYPE_CHECKING`, relative, or as a constant given to `import_module`. Nothing is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

LAYERS: tuple[
    frozenset[str], ...
] = (  # from the top; packages of one layer do not import each other
    frozenset({"cli"}),
    # check opens what the app opens, one thing after the other
    frozenset({"check", "feedback_report"}),
    frozenset({"app"}),
    frozenset({"listeners", "server", "manifest"}),
    frozenset({"turn"}),
    frozenset({"access", "history", "delivery", "files", "tools"}),
    frozenset({"render", "upstream", "storage", "slack"}),
    frozenset({"values", "observe"}),
    frozenset({"background", "cache", "errors", "version"}),
    frozenset({"words"}),
)
# The same inside the larger packages, whose parts are modules and folders: a part may import those
# of the layers below it, and none of its own layer.
INNER_LAYERS: Mapping[str, tuple[frozenset[str], ...]] = {
    "delivery": (
        frozenset({"delivery"}),
        frozenset({"workspace"}),
        frozenset({"ephemeral", "native"}),
        frozenset({"edits", "mention"}),
        frozenset({"feedback_buttons", "scheduling", "unavailable_notice"}),
        frozenset({"message_metadata", "ratelimit"}),
        frozenset({"clock", "config"}),
    ),
    "turn": (
        frozenset({"feedback", "regenerate", "revisions", "thread_stop"}),
        frozenset({"answering", "ephemeral", "supervisor"}),
        frozenset({"running"}),
        frozenset({"turn"}),
        frozenset({"durability", "intake", "stop_scope"}),
        frozenset({"state", "retry", "task_shutdown", "thread_queue"}),
    ),
    "upstream": (
        frozenset({"client"}),
        frozenset({"session"}),
        frozenset({"wire"}),
        frozenset({"requests", "resume_point"}),
        frozenset({"prompt", "text"}),
        frozenset({"events"}),
        frozenset({"config", "errors", "tool_round"}),
        frozenset({"capabilities", "json_merge", "lenient_json"}),
    ),
    "render": (
        frozenset({"ephemeral", "incoming", "reasoning", "shortcuts"}),
        frozenset({"message"}),
        frozenset({"committable", "split"}),
        frozenset({"safety"}),
        frozenset({"buttons", "feedback", "markdown", "notification", "sources"}),
    ),
    "storage": (
        frozenset({"store"}),
        frozenset({"retention", "unknown_commits", "votes"}),
        frozenset({"transactions"}),
        frozenset({"rate_slots", "channel_settings", "thread_activity", "thread_summaries"}),
        frozenset({"engine", "rows"}),
        frozenset(
            {"turn_ids", "clock", "migrating", "migrations", "process_locks", "records", "tables"}
        ),
    ),
}
# Packages outside the layers: which packages may import them, and what they may import of `bot`.
IMPORTED_BY: Mapping[str, frozenset[str]] = {
    "settings": frozenset({"cli", "app", "check"}),
    "playground": frozenset({"cli"}),
    "__main__": frozenset(),
}
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "settings": frozenset({"errors"}),
    "playground": frozenset(),
    "__main__": frozenset({"cli"}),
}
LIBRARY_USERS: Mapping[str, frozenset[str]] = {  # the only packages that may import a library
    "httpx": frozenset({"upstream", "tools"}),
    "slack_sdk": frozenset({"slack", "listeners", "app", "server"}),
    "slack_bolt": frozenset({"slack", "listeners", "app", "server"}),
    "aiohttp": frozenset({"slack", "server", "app", "playground"}),
    "sqlalchemy": frozenset({"storage"}),
    "alembic": frozenset({"storage"}),
    "asyncpg": frozenset({"storage"}),
    "pydantic": frozenset({"settings"}),
    "pydantic_settings": frozenset({"settings"}),
    "prometheus_client": frozenset({"observe", "server"}),
    "click": frozenset({"cli"}),
    "uvloop": frozenset({"app"}),
    "markdown_it": frozenset({"playground"}),
    "justext": frozenset({"tools"}),
}
PURE_MODULES = (  # no I/O, clock, waiting or randomness
    "bot.values",
    "bot.errors",
    "bot.access",
    "bot.cache",
    "bot.words*",
    "bot.storage.turn_ids",
    "bot.render*",
    *(f"bot.files.{part}" for part in ("contents", "pictures", "texts", "skipped")),
    *(f"bot.turn.{part}" for part in ("thread_queue", "retry", "state*", "answering.pseudonyms")),
    *(f"bot.turn.durability.{part}" for part in ("resume", "crash_limit", "failure_detector")),
    "bot.turn.durability.tool_progress",
    *(f"bot.history.{part}" for part in ("new_conversation", "converter", "fitting*")),
    "bot.history.question.current_question",
    *(f"bot.history.summaries.{part}" for part in ("text", "backlog", "digest")),
    "bot.listeners.payloads*",
    *(f"bot.listeners.admission.{part}" for part in ("follow_up_gate", "phrases")),
    "bot.listeners.socket_mode.backoff",
    "bot.delivery.scheduling.edit_scheduler",
    "bot.delivery.ratelimit.limiters",
    "bot.delivery.edits.reconcile",
    "bot.delivery.ephemeral.response_urls",
    "bot.delivery.native.layout",
    *(f"bot.upstream.{part}" for part in ("events", "prompt", "lenient_json", "tool_round")),
    "bot.upstream.json_merge",
    "bot.upstream.session.read_pace",
    "bot.upstream.session.rejections",
    "bot.upstream.requests*",
    "bot.upstream.wire*",
    "bot.upstream.text*",
    "bot.upstream.errors*",
    "bot.playground.slack.limits",
)
IMPURE_LIBRARIES = frozenset(  # I/O, clocks, waiting, randomness
    {"asyncio", "anyio", "concurrent", "fcntl", "ftplib", "glob", "http", "logging"}
    | {"multiprocessing", "os", "pathlib", "random", "sched", "secrets", "select", "selectors"}
    | {"shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess"}
    | {"sys", "tempfile", "tenacity", "threading", "time", "uuid", "zoneinfo"}
    | set(LIBRARY_USERS)
)
VAGUE_NAMES = frozenset({"utils", "base", "types", "helpers", "common", "misc"})
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the module it names and the line it stands on."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Module:
    """A source file, read: `path` is what a person would open."""

    name: str
    path: str
    tree: ast.Module = field(repr=False)
    lines: int
    imports: tuple[Import, ...] = ()

    @property
    def package(self) -> str:
        """The folder or file directly below `bot`; "bot" for `bot/__init__.py`."""
        first, *rest = self.name.split(".")
        return rest[0] if rest else first


def read(root: Path, package: str = "bot") -> dict[str, Module]:
    """Every module of the package below `root`, by its dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        relative = path.relative_to(root)
        parts = relative.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        is_package = path.name == "__init__.py"
        tree = ast.parse(text, str(relative))
        imports = tuple(_imports(tree, name if is_package else name.rpartition(".")[0]))
        found[name] = Module(name, str(relative), tree, len(text.splitlines()), imports)
    return {name: _resolved(module, found) for name, module in found.items()}


def _imports(tree: ast.AST, package: str) -> Iterator[Import]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (Import(alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                source = _absolute(module or "", level, package)
                yield from (Import(f"{source}.{alias.name}", node.lineno) for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(target)), *_],
            ):
                yield Import(target, node.lineno)


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])


def _resolved(module: Module, known: Mapping[str, Module]) -> Module:
    """`from bot.turn import runner` names a module, `… import Draft` a thing in one."""
    imports = tuple(Import(_nearest(i.target, known), i.line) for i in module.imports)
    return Module(module.name, module.path, module.tree, module.lines, imports)


def _nearest(target: str, known: Mapping[str, Module]) -> str:
    name = target
    while name:
        if name in known:
            return name
        name = name.rpartition(".")[0]
    return target


def violations(modules: Mapping[str, Module]) -> list[str]:
    """All that breaks a rule, one sentence each."""
    rules = (
        _layer_violations,
        _inner_layer_violations,
        _library_violations,
        _impurities,
        _cycles,
        _length_violations,
        _name_violations,
    )
    return list(dict.fromkeys(sentence for rule in rules for sentence in rule(modules)))


def _layer_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    for module, imported, target in _within(modules):
        if module.package != target.package and not _may_use(module.package, target.package):
            where = f"({module.path}:{imported.line})"
            yield f"{module.package} may not import {target.package} {where}"


def _inner_layer_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    for module, imported, target in _within(modules):
        here, there = _part(module.name), _part(target.name)
        if (
            module.package != target.package
            or module.package not in INNER_LAYERS
            or "" in {here, there}
        ):
            continue
        if here != there and not _lies_above(module.package, here, there):
            where = f"({module.path}:{imported.line})"
            yield f"inside {module.package}, {here} may not import {there} {where}"


def _part(name: str) -> str:
    """The module or folder of a package that a module belongs to; "" for the package's own."""
    return "".join(name.split(".")[2:3])


def _lies_above(package: str, here: str, there: str) -> bool:
    layers = {part: n for n, parts in enumerate(INNER_LAYERS[package]) for part in parts}
    return here in layers and there in layers and layers[here] < layers[there]


def _within(modules: Mapping[str, Module]) -> Iterator[tuple[Module, Import, Module]]:
    for module in modules.values():
        for imported in module.imports:
            if imported.target in modules and imported.target != module.name:
                yield module, imported, modules[imported.target]


def _may_use(package: str, other: str) -> bool:
    if other == "bot":
        return package != "playground"
    if package in MAY_IMPORT:
        return other in MAY_IMPORT[package]
    if other in IMPORTED_BY:
        return package in IMPORTED_BY[other]
    here, there = layer(package), layer(other)
    return here is not None and there is not None and here < there


def layer(package: str) -> int | None:
    """How many layers lie above the package; None for a package in no layer."""
    return next((n for n, packages in enumerate(LAYERS) if package in packages), None)


def _library_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    for module in modules.values():
        for imported in module.imports:
            library = imported.target.split(".")[0]
            if module.package not in LIBRARY_USERS.get(library, {module.package}):
                yield f"{module.package} may not import {library} ({module.path}:{imported.line})"


def is_pure(module: str) -> bool:
    """Whether it is one of the pure modules."""
    return any(fnmatchcase(module, pattern) for pattern in PURE_MODULES)


def _impurities(modules: Mapping[str, Module]) -> Iterator[str]:
    impure = _impure_modules(modules)
    for module in filter(lambda m: is_pure(m.name), modules.values()):
        for imported in module.imports:
            if imported.target in impure or imported.target.split(".")[0] in IMPURE_LIBRARIES:
                where = f"({module.path}:{imported.line})"
                yield f"{module.name} is pure, so it may not import {imported.target} {where}"
        for call, line in _impure_calls(module.tree):
            yield f"{module.name} is pure, so it may not call {call} ({module.path}:{line})"


def _impure_modules(modules: Mapping[str, Module]) -> set[str]:
    """The modules that do I/O, wait or read a clock, themselves or through one they import."""
    impure: set[str] = set()
    while True:
        more = {name for name, m in modules.items() if _is_impure(m, impure)} - impure
        if not more:
            return impure
        impure |= more


def _is_impure(module: Module, impure: set[str]) -> bool:
    targets = [imported.target for imported in module.imports]
    return (
        any(target in impure or target.split(".")[0] in IMPURE_LIBRARIES for target in targets)
        or next(_impure_calls(module.tree), None) is not None
    )


def _impure_calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The calls that make a module impure without an import."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="open" | "input" as name)):
                yield name, node.lineno
            case ast.Call(func=ast.Attribute(attr="now" | "utcnow" | "today" as name)):
                yield name, node.lineno


def _cycles(modules: Mapping[str, Module]) -> Iterator[str]:
    edges = {name: [i.target for i in m.imports if i.target != name] for name, m in modules.items()}
    done: set[str] = set()
    for start in edges:
        path = _path_back(start, edges, done)
        if path:
            yield "imports run in a circle: " + " → ".join(path)
        done.add(start)


def _path_back(start: str, edges: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    """A path from `start` back to itself that visits no module of `done`; [] when there is none."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop()
        for target in edges.get(path[-1], ()):
            if target == start:
                return [*path, start]
            if target not in seen and target not in done:
                seen.add(target)
                paths.append([*path, target])
    return []


def _length_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    for module in modules.values():
        if module.lines > LONGEST_FILE:
            yield f"{module.path} has {module.lines} lines; {LONGEST_FILE} are allowed"
        for name, line, length in functions(module):
            if length > LONGEST_FUNCTION:
                where = f"{module.path}:{line}"
                yield f"{name} has {length} lines ({where}); {LONGEST_FUNCTION} are allowed"


def functions(module: Module) -> Iterator[tuple[str, int, int]]:
    """Name, line and length of each function; the docstring does not count."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            end = node.end_lineno or node.lineno
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            skipped = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
            yield node.name, node.lineno, end - node.lineno + 1 - skipped


def _name_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    planned = frozenset().union(*LAYERS, IMPORTED_BY, {"bot"})
    unplanned = {m.package: m.path for m in modules.values() if m.package not in planned}
    yield from (f"{package} is in no layer ({path})" for package, path in unplanned.items())
    for module in modules.values():
        if module.name.rpartition(".")[2] in VAGUE_NAMES:
            yield f"{module.path} has a name that says nothing"
