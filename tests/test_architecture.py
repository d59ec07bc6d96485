"""The import order of the folders and the rules for their code, checked on the syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("engine", "indexer", "encoders", "cli")
FOLDERS = (*ORDER, "unify")
# Packages that one folder alone may import.
OWNERS = {
    "av": "indexer",
    "decord": "indexer",
    "sqlite3": "indexer",
    "faiss": "engine",
    "numba": "engine",
    "onnxruntime": "encoders",
    "openvino": "encoders",
    "tokenizers": "encoders",
    "torch": "encoders",
    "transformers": "encoders",
    "fastapi": "cli",
    "PIL": "indexer",
    "rich": "cli",
    "starlette": "cli",
    "typer": "cli",
    "uvicorn": "cli",
}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}


def sources() -> Iterator[tuple[str, str]]:
    """Yield (path below the root, text) of every Python file of the package."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def imported(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the absolute dotted names that one node imports.

    `from unify import x` gives `unify.x`; relative imports are resolved against the package.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        yield from (str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant))


def import_faults(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield what the imports of one file break."""
    folder, *inner = path.split("/")
    package = ".".join(["unify", *([folder] if folder != "unify" else []), *inner[:-1]])
    for node in ast.walk(tree):
        for name in imported(node, package):
            top, _, rest = name.partition(".")
            if top in PICKLES:
                yield f"{path}: imports {top}, which can run code from a file"
            elif top in ORDER:
                yield f"{path}: imports {name}, write unify.{name}"
            elif folder not in (OWNERS.get(top), None) and top in OWNERS:
                yield f"{path}: imports {top}, which is for {OWNERS[top]}/ alone"
            elif top == "unify" and folder != "unify":
                yield from order_faults(path, folder, rest.partition(".")[0])


def order_faults(path: str, folder: str, imported_name: str) -> Iterator[str]:
    """Yield what one import of `unify.<imported_name>` breaks; an empty name is `import unify`."""
    if imported_name in ORDER:
        if ORDER.index(imported_name) > ORDER.index(folder):
            yield f"{path}: imports unify.{imported_name}, which stands below {folder}/"
    elif folder != "cli" or imported_name[:1] not in ("", "_"):
        # The command line may ask for the version and the place, nothing else.
        yield f"{path}: imports the facade (unify.{imported_name})"


def eager_facade_faults(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield imports that `import unify` would run: the facade must stay lazy."""
    if path != "unify/__init__.py":
        return
    for node in tree.body:
        for name in imported(node, "unify"):
            if name.split(".")[0] == "unify":
                yield f"{path}: imports {name} eagerly"


def code_faults(path: str, tree: ast.Module) -> Iterator[str]:
    """Yield forbidden calls, handlers and names of one file."""
    may_exit = path.startswith("cli/") or path == "unify/__main__.py"
    through_facade = re.compile(r"unify\.(?!__|engine|indexer|encoders|cli)")
    if VAGUE_NAMES & set(Path(path).with_suffix("").parts):
        yield f"{path}: a name that says nothing"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{path}:{node.lineno}: bare except"
        if isinstance(node, ast.Attribute) and through_facade.match(ast.unparse(node)):
            yield f"{path}:{node.lineno}: uses the facade ({ast.unparse(node)})"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {k.arg: ast.unparse(k.value) for k in node.keywords}
            if called in ("print", "exit", "quit", "sys.exit") and not may_exit:
                yield f"{path}:{node.lineno}: {called} outside cli/"
            if given.get("allow_pickle", "False") != "False":
                yield f"{path}:{node.lineno}: allow_pickle"
            if called == "torch.load" and given.get("weights_only") != "True":
                yield f"{path}:{node.lineno}: torch.load without weights_only=True"
            if given.get("trust_remote_code", "False") != "False":
                yield f"{path}:{node.lineno}: trust_remote_code"


def faults(path: str, source: str) -> list[str]:
    """Everything that one file breaks."""
    tree = ast.parse(source, path)
    return [*import_faults(path, tree), *eager_facade_faults(path, tree), *code_faults(path, tree)]


def test_no_file_breaks_the_rules():
    found = [fault for path, source in sources() for fault in faults(path, source)]
    assert not found, "\n".join(found)


def test_every_folder_is_looked_at():
    assert {path.split("/")[0] for path, _ in sources()} == set(FOLDERS)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/a.py", "from unify.indexer.ports import VideoEncoder"),
        ("engine/a.py", "from unify import cli"),
        ("engine/a.py", "def f():\n    import unify.encoders.pack"),
        ("engine/deep/a.py", "from ...indexer import ports"),
        ("engine/a.py", "from engine.types import Hit"),
        ("engine/a.py", "import av"),
        ("engine/a.py", "import torch.nn as nn"),
        ("engine/a.py", "import importlib\nimportlib.import_module('torch')"),
        ("indexer/a.py", "from unify.encoders import pack"),
        ("indexer/a.py", "from faiss import IndexFlat"),
        ("indexer/a.py", "import rich.progress"),
        ("encoders/a.py", "from unify.cli.main import main"),
        ("encoders/a.py", "import decord"),
        ("encoders/a.py", "torch.load(path)"),
        ("encoders/a.py", "AutoModel.from_pretrained(name, trust_remote_code=True)"),
        ("cli/a.py", "import numba"),
        ("cli/a.py", "from unify import open_index"),
        ("cli/a.py", "import unify\nunify.open_index"),
        ("encoders/a.py", "import unify"),
        ("encoders/a.py", "from unify import __version__"),
        ("unify/__init__.py", "from unify.engine.types import Hit"),
        ("unify/__init__.py", "from .engine import types"),
        ("unify/__init__.py", "import numba"),
        ("engine/a.py", "import pickle"),
        ("engine/a.py", "np.load(path, allow_pickle=True)"),
        ("engine/a.py", "print(1)"),
        ("indexer/a.py", "import sys\nsys.exit(1)"),
        ("cli/a.py", "try:\n    f()\nexcept:\n    pass"),
        ("indexer/utils.py", ""),
        ("cli/helpers/a.py", ""),
    ],
)
def test_a_seeded_fault_is_found(path: str, source: str):
    assert len(faults(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/a.py", "from unify.engine.types import Hit\nfrom . import types\nimport faiss"),
        ("indexer/a.py", "from unify.engine import errors\nimport av"),
        ("encoders/a.py", "from unify.indexer.ports import FrameShape\nimport torch"),
        ("encoders/a.py", "torch.load(path, weights_only=True)"),
        ("cli/a.py", "from unify.encoders import pack\nprint(1)\nimport typer"),
        ("cli/a.py", "from unify import __version__\nimport unify\nunify.__file__"),
        ("unify/__init__.py", "def f():\n    from unify.engine import types"),
        ("unify/__init__.py", "if TYPE_CHECKING:\n    from unify.engine.types import Hit"),
        ("unify/__main__.py", "from unify.cli.main import main\nsys.exit(main())"),
    ],
)
def test_what_is_allowed_is_let_through(path: str, source: str):
    assert faults(path, source) == []
