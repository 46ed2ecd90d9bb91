"""Types that are used for the first time by two threads at once, and that nothing goes round what holds one back."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# msgspec asks for the annotations of Inner when it has noted half of Outer: then the second thread comes. Without the
# lock it uses what is half noted, and crashes.
_FIRST_USE = """
from __future__ import annotations
import sys, threading
import msgspec
from orchestrator.model.text import decoding

class Inner(msgspec.Struct):
    number: meanwhile()

class Outer(msgspec.Struct):
    inner: Inner

class Lock:
    def __init__(self):
        self.lock = threading.Lock()
    def __enter__(self):
        if not self.lock.acquire(blocking=False):
            came.set()
            self.lock.acquire()
    def __exit__(self, *error):
        self.lock.release()

def meanwhile():
    if not second.ident:
        second.start()
    assert came.wait(30)
    return int

uses = {
    "decode": lambda: decoding.decode(b'{"inner": {"number": 1}}', Outer),
    "convert": lambda: decoding.convert({"inner": {"number": 1}}, Outer),
    "schema": lambda: decoding.schema(Outer),
    "type_info": lambda: decoding.type_info(Outer),
}

def use():
    print(uses[sys.argv[2]]())
    came.set()

came, second = threading.Event(), threading.Thread(target=use)
decoding._one_at_a_time = Lock()
uses[sys.argv[1]]()
second.join()
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [("decode", "convert"), ("convert", "decode"), ("schema", "decode"), ("type_info", "convert")],
)
def test_a_thread_waits_while_another_one_uses_a_type_for_the_first_time(first: str, second: str) -> None:
    done = subprocess.run([sys.executable, "-c", _FIRST_USE, first, second], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Outer(inner=Inner(number=1))\n"


_ELSEWHERE = """\
from msgspec import convert
from msgspec.json import Decoder, decode as read
from msgspec.yaml import decode
from msgspec import json, msgpack
import msgspec.toml
from msgspec._core import JSONDecoder
msgspec.convert(1, int)
msgspec.json.decode(b"1", type=int)
msgspec.json.Decoder(int)
json.decode(b"1", type=int)
msgspec.json.schema(int)
msgspec.json.schema_components([int])
msgspec.inspect.type_info(int)
msgspec.inspect.multi_type_info([int])
msgspec.msgpack.decode(b"1", type=int)
msgspec.yaml.decode(b"1", type=int)
"""


@pytest.mark.parametrize(
    ("module", "lines"),
    [
        ("orchestrator/effects/ledger/answers.py", set(range(1, 17))),
        ("tests/model/text/test_decoding.py", set(range(1, 17))),
        ("orchestrator/model/text/decoding.py", set()),
    ],
)
def test_lint_refuses_to_hand_a_type_to_msgspec_anywhere_else(module: str, lines: set[int]) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise"]
    done = subprocess.run(
        [*command, "--stdin-filename", module, "-"], cwd=ROOT, input=_ELSEWHERE, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), done.stderr
    assert {int(line) for line in re.findall(r":(\d+):\d+: TID251 ", done.stdout)} == lines
