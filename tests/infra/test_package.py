"""The deployed zip: what is in it, that it is the same every time, that it runs by itself, and that it is small."""

from __future__ import annotations

import importlib.metadata
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from dev.package.building import LARGEST, LIBRARIES, REQUIREMENTS, TooLarge, build, pack
from dev.package.ignoring import is_ignored, rules
from dev.package.wheels import NotDownloaded, download

ROOT = Path(__file__).parents[2]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("notes.txt", True),
        (".env", True),
        ("local.settings.json", True),
        ("tests", True),
        ("shared", False),
        ("shared/api", False),
        ("shared/api/tests", False),
        ("shared/__pycache__", True),
        ("shared/api/app.cpython-311.pyc", True),
        ("function_app.py", False),
    ],
)
def test_what_stays_behind(path: str, ignored: bool) -> None:
    assert is_ignored(PurePosixPath(path), rules((ROOT / ".funcignore").read_text())) is ignored


@pytest.mark.parametrize("rule", ["a/**/b", "\\!a"])
def test_a_rule_that_is_not_understood_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        rules(rule)


def wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with one library, and files that must not be deployed."""
    root, shelf = tmp_path / "project", tmp_path / "shelf"
    files = {
        ".funcignore": (ROOT / ".funcignore").read_text(),
        REQUIREMENTS: "tiny==1.0\n",
        "function_app.py": "import tiny\n",
        "host.json": "{}",
        "requirements.txt": "tiny\n",
        "shared/code.py": "x = 1\n",
        "shared/pages/style.css": "a {}\n",
        "shared/__pycache__/code.cpython-311.pyc": "",
        "local.settings.json": "secret",
        "tests/test_code.py": "",
        ".git/config": "",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    shelf.mkdir()
    contents = {
        "tiny/__init__.py": "y = 2\n",
        "tiny-1.0.data/purelib/beside.py": "z = 3\n",
        "tiny-1.0.data/scripts/tiny": "#!python\n",
    }
    wheel(shelf, "tiny", contents)
    return root


def packed(root: Path, target: Path) -> bytes:
    build(root, target, VERSION, root / REQUIREMENTS, ["--no-index", f"--find-links={root.parent / 'shelf'}"])
    return target.read_bytes()


def test_the_zip_holds_the_app_and_its_libraries_and_nothing_else(project: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed(project, tmp_path / "app.zip"))) as archive:
        assert [name for name in archive.namelist() if ".dist-info/" not in name] == [
            f"{LIBRARIES}/beside.py",
            f"{LIBRARIES}/tiny/__init__.py",
            "function_app.py",
            "host.json",
            "requirements.txt",
            "shared/code.py",
            "shared/pages/style.css",
        ]
        assert f"{LIBRARIES}/tiny-1.0.dist-info/METADATA" in archive.namelist()


def test_the_zip_is_the_same_every_time(project: Path, tmp_path: Path) -> None:
    first = packed(project, tmp_path / "one.zip")
    for path in project.rglob("*.py"):  # as another checkout has them: other times and rights, written in another order
        content = path.read_text()
        path.unlink()
        path.write_text(content)
        path.chmod(0o755)
    assert packed(project, tmp_path / "two.zip") == first


def test_another_content_is_another_zip(project: Path, tmp_path: Path) -> None:
    first = packed(project, tmp_path / "one.zip")
    (project / "shared/code.py").write_text("x = 2\n")
    assert packed(project, tmp_path / "two.zip") != first


def test_a_zip_that_is_too_large_is_refused(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dev.package.building.LARGEST", 100)
    with pytest.raises(TooLarge, match="more than 100"):
        packed(project, tmp_path / "app.zip")


def test_a_library_that_cannot_be_had_is_told(project: Path, tmp_path: Path) -> None:
    (project / REQUIREMENTS).write_text("absent==9\n")
    with pytest.raises(NotDownloaded, match="absent==9"):
        packed(project, tmp_path / "app.zip")
    assert not (tmp_path / "app.zip").exists()


def test_packing_for_another_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs Python 3\.99"):
        download(ROOT / REQUIREMENTS, "3.99", tmp_path)


LOAD_EVERYTHING = """
import importlib, pathlib, sys
sys.path[:0] = [".", ".python_packages/lib/site-packages"]
import function_app
for path in [*pathlib.Path("shared").rglob("*.py"), *pathlib.Path("functions").rglob("*.py")]:
    importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
assert ".python_packages" in sys.modules["duckdb"].__file__
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_real_zip_is_small_and_runs_by_itself(tmp_path: Path) -> None:
    """No module needs a library that requirements.txt does not name (or that `make lock` has not pinned yet)."""
    target = tmp_path / "app.zip"
    try:
        size = build(ROOT, target, VERSION, ROOT / REQUIREMENTS)
    except NotDownloaded:
        size = pack(ROOT, target, installed())  # nobody to download from: the same libraries, as they are here
    assert size < LARGEST
    with zipfile.ZipFile(target) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        archive.extractall(tmp_path / "app")
    assert tops == {".python_packages", "function_app.py", "functions", "host.json", "requirements.txt", "shared"}
    command = [sys.executable, "-I", "-S", "-c", LOAD_EVERYTHING]
    done = subprocess.run(command, cwd=tmp_path / "app", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def installed() -> dict[str, bytes]:
    """Files of the locked libraries from this environment."""
    files = [file for name in locked() for file in importlib.metadata.files(name) or ()]
    paths = {str(file): Path(str(file.locate())) for file in files if file.suffix != ".pyc" and ".." not in file.parts}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def locked() -> Iterator[str]:
    for line in (ROOT / REQUIREMENTS).read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")):
            wanted = Requirement(line.rstrip(" \\"))
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted.name
