"""Small packages made on the spot, and an index on loopback that offers them and pip itself."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from orchestrator.pins import FOLDER


def make_wheel(
    folder: Path, name: str, version: str, *, requires: Sequence[str] = (), files: Mapping[str, str] | None = None
) -> str:
    """Writes a pure Python wheel; `requires` are lines of its metadata. Returns its line in a lock."""
    info = f"{name}-{version}.dist-info"
    metadata = "".join(
        f"{line}\n" for line in ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *requires)
    )
    content = {
        **(files or {f"{name}/__init__.py": ""}),
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in content.items())
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def fetch_installer(folder: Path) -> None:
    """pip and setuptools as they are pinned, from the package index or pip's cache."""
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--dest", str(folder)]
    requirements = ["--requirement", str(FOLDER / "installer.txt")]
    subprocess.run([sys.executable, "-I", "-m", "pip", "download", *options, *requirements], check=True)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The wheels of the folder as an index ("Simple repository API"); yields its address."""
    pages = folder / "simple"
    for wheel in sorted(folder.glob("*.whl")):
        page = pages / wheel.name.partition("-")[0] / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as file:
            file.write(f'<a href="/{wheel.name}">{wheel.name}</a>\n')
    handler = functools.partial(_WheelHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()


class _WheelHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the requests are of no interest."""
