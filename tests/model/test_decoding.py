"""Types that are used for the first time by several threads at once."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from orchestrator.model.decoding import decoder

# Threads take turns as often as they can; without the decoders' lock about every third of these crashes.
_FIRST_USE = """
import sys, threading
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.model.decoding import decoder
from orchestrator.model.receipt import PlanReceipt

def use():
    together.wait()
    load_pins()
    decoder(PlanReceipt)

sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(8))
def test_the_first_use_by_several_threads_does_not_crash(attempt: int) -> None:
    done = subprocess.run([sys.executable, "-c", _FIRST_USE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_decoder_is_made_once() -> None:
    class Point(msgspec.Struct):
        x: int

    assert decoder(Point) is decoder(Point)
    assert decoder(Point).decode(b'{"x": 1}') == Point(1)
