"""The floor plan as data, and the reading of imports that holds the house to it.

Imports are read from the source with `ast`, wherever they stand: in functions, under
`TYPE_CHECKING`, relative, or as a constant given to `import_module`. Nothing is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

FLOORS: tuple[frozenset[str], ...] = (  # from the top; neighbours do not know each other
    frozenset({"cli"}),
    frozenset({"check"}),  # opens what the app opens, one thing after the other
    frozenset({"app"}),
    frozenset({"listeners", "server", "manifest"}),
    frozenset({"turn"}),
    frozenset({"access", "history", "delivery", "tools"}),
    frozenset({"render", "upstream", "storage", "slack"}),
    frozenset({"values", "observe"}),
    frozenset({"background", "cache", "errors", "version"}),
)
# The same inside the larger rooms: parts of a room from the top, each a module or a folder. A part
# may import what lies below it; those side by side do not know each other.
INNER_FLOORS: Mapping[str, tuple[frozenset[str], ...]] = {
    "delivery": (
        frozenset({"delivery"}),
        frozenset({"workspace"}),
        frozenset({"ephemeral", "native"}),
        frozenset({"edits"}),
        frozenset({"scheduling", "unavailable_notice"}),
        frozenset({"message_metadata", "ratelimit"}),
        frozenset({"clock", "config"}),
    ),
    "turn": (
        frozenset({"revisions", "thread_stop"}),
        frozenset({"answer", "ephemeral", "supervisor"}),
        frozenset({"running", "tool_rounds"}),
        frozenset({"turn"}),
        frozenset({"durability", "intake", "stop_scope"}),
        frozenset({"retry", "answer_state", "concurrency", "task_shutdown", "limits", "pseudonyms"})
        | frozenset({"thread_queue", "unreadable_parts"}),
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
        frozenset({"ephemeral", "incoming"}),
        frozenset({"message"}),
        frozenset({"committable", "split"}),
        frozenset({"safety"}),
        frozenset({"buttons", "markdown", "notification", "sources"}),
    ),
    "storage": (
        frozenset({"store"}),
        frozenset({"retention", "unknown_commits"}),
        frozenset({"transactions"}),
        frozenset({"rate_slots"}),
        frozenset({"engine", "rows"}),
        frozenset(
            {"turn_ids", "clock", "migrating", "migrations", "process_locks", "records", "tables"}
        ),
    ),
}
# Rooms beside the house: who may enter them, and what they may use of ours.
ENTERED_BY: Mapping[str, frozenset[str]] = {
    "settings": frozenset({"cli", "app", "check"}),
    "playground": frozenset({"cli"}),
    "__main__": frozenset(),
}
USES: Mapping[str, frozenset[str]] = {
    "settings": frozenset({"errors"}),
    "playground": frozenset(),
    "__main__": frozenset({"cli"}),
}
DOORS: Mapping[str, frozenset[str]] = {  # a library is known to these rooms only
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
THINKING = (  # they decide; whoever drives them waits, reads clocks and rolls dice
    "bot.values",
    "bot.errors",
    "bot.access",
    "bot.cache",
    "bot.storage.turn_ids",
    "bot.render*",
    *(f"bot.turn.{part}" for part in ("answer_state", "thread_queue", "retry", "unreadable_parts")),
    *(f"bot.turn.{part}" for part in ("limits", "pseudonyms")),
    *(f"bot.turn.durability.{part}" for part in ("resume", "crash_limit", "failure_detector")),
    "bot.turn.durability.tool_progress",
    *(
        f"bot.history.{part}"
        for part in ("new_conversation", "current_question", "token_limit", "remarks", "converter")
    ),
    *(
        f"bot.listeners.{part}"
        for part in ("payloads", "revision_payloads", "addressing", "tenancy")
    ),
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
WORLD = frozenset(  # I/O, clocks, waiting, chance
    {"asyncio", "anyio", "concurrent", "fcntl", "ftplib", "glob", "http", "logging"}
    | {"multiprocessing", "os", "pathlib", "random", "sched", "secrets", "select", "selectors"}
    | {"shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess"}
    | {"sys", "tempfile", "tenacity", "threading", "time", "uuid", "zoneinfo"}
    | set(DOORS)
)
ROOM_NAMES_WE_AVOID = frozenset({"utils", "base", "types", "helpers", "common", "misc"})
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
    def room(self) -> str:
        """The folder or file directly below the package; the package itself is "bot"."""
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


def complaints(modules: Mapping[str, Module]) -> list[str]:
    """Everything in which the house differs from its plan, one sentence each."""
    rules = (
        _wrong_floors,
        _wrong_inner_floors,
        _wrong_doors,
        _wrong_thoughts,
        _cycles,
        _lengths,
        _names,
    )
    return list(dict.fromkeys(sentence for rule in rules for sentence in rule(modules)))


def _wrong_floors(modules: Mapping[str, Module]) -> Iterator[str]:
    for module, imported, target in _within(modules):
        if module.room != target.room and not _may_use(module.room, target.room):
            yield f"{module.room} may not import {target.room} ({module.path}:{imported.line})"


def _wrong_inner_floors(modules: Mapping[str, Module]) -> Iterator[str]:
    for module, imported, target in _within(modules):
        here, there = _part(module.name), _part(target.name)
        if module.room != target.room or module.room not in INNER_FLOORS or "" in {here, there}:
            continue
        if here != there and not _lies_above(module.room, here, there):
            where = f"({module.path}:{imported.line})"
            yield f"inside {module.room}, {here} may not import {there} {where}"


def _part(name: str) -> str:
    """The module or folder of a room that a module belongs to; "" for the room's own."""
    return "".join(name.split(".")[2:3])


def _lies_above(room: str, here: str, there: str) -> bool:
    floors = {part: n for n, parts in enumerate(INNER_FLOORS[room]) for part in parts}
    return here in floors and there in floors and floors[here] < floors[there]


def _within(modules: Mapping[str, Module]) -> Iterator[tuple[Module, Import, Module]]:
    for module in modules.values():
        for imported in module.imports:
            if imported.target in modules and imported.target != module.name:
                yield module, imported, modules[imported.target]


def _may_use(room: str, other: str) -> bool:
    if other == "bot":
        return room != "playground"
    if room in USES:
        return other in USES[room]
    if other in ENTERED_BY:
        return room in ENTERED_BY[other]
    here, there = floor(room), floor(other)
    return here is not None and there is not None and here < there


def floor(room: str) -> int | None:
    """How many floors lie above the room; None when the plan does not know it."""
    return next((n for n, rooms in enumerate(FLOORS) if room in rooms), None)


def _wrong_doors(modules: Mapping[str, Module]) -> Iterator[str]:
    for module in modules.values():
        for imported in module.imports:
            library = imported.target.split(".")[0]
            if module.room not in DOORS.get(library, {module.room}):
                yield f"{module.room} may not import {library} ({module.path}:{imported.line})"


def thinks(module: str) -> bool:
    """The module is one of those that only decide."""
    return any(fnmatchcase(module, pattern) for pattern in THINKING)


def _wrong_thoughts(modules: Mapping[str, Module]) -> Iterator[str]:
    worldly = _worldly(modules)
    for module in filter(lambda m: thinks(m.name), modules.values()):
        for imported in module.imports:
            if imported.target in worldly or imported.target.split(".")[0] in WORLD:
                where = f"({module.path}:{imported.line})"
                yield f"{module.name} only thinks, so it may not import {imported.target} {where}"
        for deed, line in _deeds(module.tree):
            yield f"{module.name} only thinks, so it may not call {deed} ({module.path}:{line})"


def _worldly(modules: Mapping[str, Module]) -> set[str]:
    """The modules that touch the world, themselves or through one they import."""
    worldly: set[str] = set()
    while True:
        more = {name for name, m in modules.items() if _touches(m, worldly)} - worldly
        if not more:
            return worldly
        worldly |= more


def _touches(module: Module, worldly: set[str]) -> bool:
    targets = [imported.target for imported in module.imports]
    return (
        any(target in worldly or target.split(".")[0] in WORLD for target in targets)
        or next(_deeds(module.tree), None) is not None
    )


def _deeds(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What touches the world without an import of its own."""
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
        way = _way_back(start, edges, done)
        if way:
            yield "imports run in a circle: " + " → ".join(way)
        done.add(start)


def _way_back(start: str, edges: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    """A way from `start` back to itself past nothing that is done with; [] when there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for target in edges.get(way[-1], ()):
            if target == start:
                return [*way, start]
            if target not in seen and target not in done:
                seen.add(target)
                ways.append([*way, target])
    return []


def _lengths(modules: Mapping[str, Module]) -> Iterator[str]:
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


def _names(modules: Mapping[str, Module]) -> Iterator[str]:
    planned = frozenset().union(*FLOORS, ENTERED_BY, {"bot"})
    strangers = {m.room: m.path for m in modules.values() if m.room not in planned}
    yield from (f"{room} has no floor in the plan ({path})" for room, path in strangers.items())
    for module in modules.values():
        if module.name.rpartition(".")[2] in ROOM_NAMES_WE_AVOID:
            yield f"{module.path} has a name that says nothing"
