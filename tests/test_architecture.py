"""The house stands as drawn: who may import whom, and what a web process never loads."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DJANGO_FREE = ["search.engine", "search.catalogues", "search.pgvector", "evaluation.stats"]
WRITING = {
    *("save", "create", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"),
    *("insert", "increase", "select_for_update"),
}
HEAVY = ["torch", "torchvision", "onnxruntime", "numba", "faiss", "openTSNE", "umap", "sklearn"]

# Refuses the named packages, then imports every module of the given ones.
IMPORT_ALL = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(name + " is blocked", name=name)

sys.meta_path.insert(0, Blocked())
for name in {names}:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(module.name)
        print(module.name)
"""

# Serves the play page as the web process does, then tells what is loaded.
SERVE_PLAY = """
import asyncio, sys
from dopeornope.asgi import application
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

async def get(path):
    sent, messages = [], [{"type": "http.request", "body": b"", "more_body": False}]
    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "scheme": "http",
             "headers": [(b"host", b"localhost")], "http_version": "1.1"}
    await application(scope, receive, send)
    return sent[0]["status"]

for path in ["/play/", "/", "/leaderboard/", "/api/openapi.json", "/accounts/login/"]:
    print(path, asyncio.run(get(path)))
print("loaded:", *sorted({name.split(".")[0] for name in sys.modules}))
"""


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", DJANGO_FREE)
def test_the_core_imports_without_django(package):
    blocked = {"django", "celery", "channels", "ninja"}
    imported = run_python(IMPORT_ALL.format(blocked=blocked, names=[package])).split()
    assert imported
    assert all(name.startswith(f"{package}.") for name in imported)
    files = (ROOT / package.replace(".", "/")).rglob("*.py")
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert {name.removesuffix(".__init__") for name in modules} - {package} == set(imported)


def test_the_core_is_found_out_if_it_imports_django():
    """The check above can fail: the same, with a package that does need Django."""
    with pytest.raises(AssertionError, match="django is blocked"):
        run_python(IMPORT_ALL.format(blocked={"django"}, names=["search.models"]))


def test_the_web_process_loads_no_heavy_library(tmp_path):
    printed = run_python(SERVE_PLAY, DOPEORNOPE_HOME=str(tmp_path), DOPEORNOPE_LOG_LEVEL="ERROR")
    *answers, loaded = printed.splitlines()
    assert [answer.split()[1] for answer in answers] == ["200"] * len(answers), printed
    assert not set(HEAVY) & set(loaded.split())


def list_writes(source: str) -> list[str]:
    """What a module does that changes rows, or lets its callers have it do: as far as names tell."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            found += [f"calls {name}"] if name in WRITING else []
        elif isinstance(node, ast.arg) and node.annotation is not None:
            taken = "Statement" in ast.unparse(node.annotation)
            found += [f"is given statements as {node.arg}"] if taken else []
    return found


@pytest.mark.parametrize("package", ["search", "evaluation"])
def test_selectors_only_read(package):
    """What is written together with a question goes out of the service that asks it."""
    files = sorted((ROOT / package / "selectors").rglob("*.py"))
    assert files
    assert {file.name: writes for file in files if (writes := list_writes(file.read_text()))} == {}


@pytest.mark.parametrize(
    "line",
    ["Vote.objects.create(deal=1)", "execute(insert(Vote, names, rows))", "def read(after: Statement): ..."],
)
def test_a_selector_that_writes_is_found_out(line):
    assert list_writes(line)


@pytest.mark.parametrize("package", ["search", "evaluation"])
def test_the_apps_themselves_import_nothing(package):
    assert (ROOT / package / "__init__.py").read_text() == ""


def test_the_import_contracts_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout
