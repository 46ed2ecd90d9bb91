"""Programs that are run, followed, stopped and killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.effects.system import interruption, process
from orchestrator.effects.system.process import TimeLimits
from orchestrator.errors import DependencyError, Interrupted

ENV = dict(os.environ)
PATIENT = TimeLimits(60)
_PATIENCE = 20.0


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def follow(
    folder: Path, argv: list[str], on_line: Callable[[str], None] = lambda _: None, limits: TimeLimits = PATIENT
) -> int:
    return process.follow(argv, cwd=folder, env=ENV, log=folder / "log", on_line=on_line, limits=limits)


def is_running(pid: int) -> bool:
    """A process that has ended and that nobody waited for yet runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def interrupted() -> Iterator[Callable[[float], None]]:
    """Sends Ctrl-C to this process alone after some seconds; harmless when the test has ended before."""
    timers = []

    def after(seconds: float) -> None:
        timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
        timers.append(timer)
        timer.start()

    yield after
    for timer in timers:
        timer.cancel()
        timer.join()


# run ----------------------------------------------------------------------------------------------------------------


def test_output_and_exit_code_are_kept() -> None:
    done = process.run(shell("printf out; printf err >&2; exit 3"), timeout=60)
    assert done == process.Completed(3, "out", "err")


def test_input_folder_and_environment_are_the_given_ones(tmp_path: Path) -> None:
    done = process.run(
        shell("cat; pwd; env"), cwd=tmp_path, env={"A": "b", "PATH": ENV["PATH"]}, input=b"in\n", timeout=60
    )
    assert done.stdout.splitlines()[:2] == ["in", str(tmp_path)]
    assert "A=b" in done.stdout
    assert "HOME" not in done.stdout


def test_without_input_there_is_none() -> None:
    assert process.run(["cat"], timeout=60).stdout == ""


def test_bytes_that_are_no_text_do_not_matter() -> None:
    assert process.run(["printf", r"\377a"], timeout=60).stdout == "\ufffda"
    assert process.run(["printf", r"\377a"], timeout=60, undecodable="surrogateescape").stdout == "\udcffa"


def test_much_output_on_both_streams_does_not_block() -> None:
    script = "import sys; [s.write('x' * 5_000_000) for s in (sys.stdout, sys.stderr)]"
    done = process.run(python(script), timeout=60)
    assert (len(done.stdout), len(done.stderr)) == (5_000_000, 5_000_000)


def test_arguments_are_passed_as_they_are() -> None:
    odd = ["$HOME", "`id`", "a b", "*", "--x", ""]
    assert process.run(["printf", "%s|", *odd], timeout=60).stdout == "".join(f"{part}|" for part in odd)


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=r"sh did not end within 0\.3 s and was stopped"):
        process.run(shell(f"sleep 60 & echo $! > {tmp_path}/pid; wait"), timeout=0.3)
    wait_for(lambda: not is_running(int((tmp_path / "pid").read_text())), "the child to be gone")


def test_after_ctrl_c_a_command_in_another_thread_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main thread is told by an exception, and may still run what it has to do then."""
    with ThreadPoolExecutor() as pool:
        running = pool.submit(process.run, shell("cat; exec sleep 60"), input=b"x", timeout=60)
        monkeypatch.setattr(interruption, "_came", True)
        with pytest.raises(Interrupted, match="sh was interrupted"):
            running.result()
    assert process.run(shell("sleep 0.3; echo done"), timeout=60).stdout == "done\n"


@pytest.mark.parametrize("start", ["run", "follow", "start"])
def test_a_program_that_is_missing_is_named(tmp_path: Path, start: str) -> None:
    actions: dict[str, Callable[[], object]] = {
        "run": lambda: process.run(["/no/such/program"], timeout=1),
        "follow": lambda: follow(tmp_path, ["/no/such/program"]),
        "start": lambda: process.start(["/no/such/program"], env=ENV),
    }
    with pytest.raises(DependencyError, match="cannot run /no/such/program: No such file") as error:
        actions[start]()
    assert "orchestrate tools" in str(error.value.hint)


def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(DependencyError, match="x: Permission denied"):
        process.run([tmp_path / "x"], timeout=1)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=f"cannot run true: the folder {tmp_path}/none does not exist"):
        process.run(["true"], cwd=tmp_path / "none", timeout=1)


def test_several_threads_may_run_programs() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: process.run(["printf", str(n)], timeout=60).stdout, range(40))
    assert list(found) == [str(n) for n in range(40)]


# follow -------------------------------------------------------------------------------------------------------------


def test_lines_of_both_streams_come_as_they_are_written(tmp_path: Path) -> None:
    lines: list[str] = []
    gate = tmp_path / "gate"

    def take(line: str) -> None:
        lines.append(line)
        if line == "second":
            gate.touch()

    script = (
        f"echo first; echo second >&2; while ! test -e {gate}; do sleep 0.01; done; printf 'last, without end'; exit 4"
    )
    assert follow(tmp_path, shell(script), take) == 4
    assert lines == ["first", "second", "last, without end"]
    assert (tmp_path / "log").read_text() == "first\nsecond\nlast, without end"


@pytest.mark.parametrize(
    ("written", "lines"),
    [(b"", []), (b"\n", [""]), (b"a\n\nb", ["a", "", "b"]), (b"\xff\xc3\n\xe2\x82", ["\ufffd\ufffd", "\ufffd"])],
)
def test_every_line_is_passed_on_once(tmp_path: Path, written: bytes, lines: list[str]) -> None:
    found: list[str] = []
    follow(tmp_path, python(f"import os; os.write(1, {written!r})"), found.append)
    assert found == lines


def test_a_character_that_is_written_in_two_parts_is_one(tmp_path: Path) -> None:
    found: list[str] = []
    follow(
        tmp_path,
        python("import os, time; os.write(1, b'\\xe2'); time.sleep(0.3); os.write(1, b'\\x82\\xac')"),
        found.append,
    )
    assert found == ["€"]


def test_fifty_megabytes_are_passed_on_without_being_kept(tmp_path: Path) -> None:
    """Measured in a process of its own, whose memory is then known."""
    script = f"""
import resource, sys
from pathlib import Path
from orchestrator.effects.system import process
count = 0
def take(line):
    global count
    count += len(line) + 1
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
argv = [sys.executable, "-c", "import sys; [sys.stdout.write('x' * 99 + '\\\\n') for _ in range(500_000)]"]
log = Path("{tmp_path}/log")
code = process.follow(argv, cwd=Path("/"), env={{}}, log=log, on_line=take, limits=process.TimeLimits(60))
print(code, count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    code, count, megabytes = map(int, process.run(python(script), timeout=60).stdout.split())
    assert (code, count) == (0, 50_000_000)
    assert megabytes < 40


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    found: list[int] = []
    follow(
        tmp_path,
        python("import os; [os.write(1, b'x' * 1_000_000) for _ in range(30)]"),
        lambda line: found.append(len(line)),
    )
    assert sum(found) == 30_000_000
    assert max(found) < 11_000_000


def test_who_writes_without_pause_is_still_stopped_in_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(DependencyError, match=r"did not end within 0\.5 s"):
        follow(tmp_path, python("while True: print('x' * 99)"), limits=TimeLimits(0.5, grace=5))
    assert time.monotonic() - begun < 10


def test_without_word_from_the_system_the_end_is_still_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", unsupported)
    assert follow(tmp_path, shell("sleep 0.2; exit 5")) == 5


# Stopping -----------------------------------------------------------------------------------------------------------

# Notes each signal that it and its child get.
RECORDER = """
import os, signal, subprocess, sys, time
name, patience = sys.argv[1], float(sys.argv[2])
def note(number, _):
    with open(name, "a") as file:
        file.write(f"{number}\\n")
signal.signal(signal.SIGINT, note)
child = subprocess.Popen([sys.executable, __file__, name + ".child", "60"]) if len(sys.argv) > 3 else None
open(name + ".ready", "w").close()
deadline = time.monotonic() + patience
while time.monotonic() < deadline and not (child and os.path.exists(name)):
    time.sleep(0.01)
if child:
    child.terminate()
    child.wait()
"""


@pytest.fixture
def recorder(tmp_path: Path) -> Callable[..., list[str]]:
    (tmp_path / "recorder.py").write_text(RECORDER)

    def argv(name: str, patience: float, *child: str) -> list[str]:
        return [sys.executable, str(tmp_path / "recorder.py"), str(tmp_path / name), str(patience), *child]

    return argv


def test_ctrl_c_is_passed_to_the_program_alone(
    tmp_path: Path, recorder: Callable[..., list[str]], interrupted: Callable[[float], None]
) -> None:
    ready = [tmp_path / "top.ready", tmp_path / "top.child.ready"]

    def interrupt_when_ready() -> None:
        wait_for(lambda: all(map(Path.exists, ready)), "the program and its child")
        interrupted(0)

    waiter = threading.Thread(target=interrupt_when_ready)
    waiter.start()
    with pytest.raises(Interrupted, match="was interrupted and has stopped") as error:
        follow(tmp_path, recorder("top", 60, "with a child"))
    waiter.join()
    assert error.value.exit_code == 130
    assert (tmp_path / "top").read_text() == f"{signal.SIGINT}\n"
    assert not (tmp_path / "top.child").exists()


@pytest.mark.slow
def test_a_second_ctrl_c_is_passed_on_too(
    tmp_path: Path, recorder: Callable[..., list[str]], interrupted: Callable[[float], None]
) -> None:
    def twice() -> None:
        wait_for((tmp_path / "top.ready").exists, "start")
        interrupted(0)
        wait_for((tmp_path / "top").exists, "the first one")
        interrupted(0)

    waiter = threading.Thread(target=twice)
    waiter.start()
    with pytest.raises(Interrupted):
        follow(tmp_path, recorder("top", 2))
    waiter.join()
    assert (tmp_path / "top").read_text() == f"{signal.SIGINT}\n" * 2


@pytest.mark.slow
def test_a_program_that_does_not_listen_is_killed_with_its_whole_group(tmp_path: Path) -> None:
    script = f"trap '' INT; sh -c 'echo $$ > {tmp_path}/pid; sleep 60' & wait; sleep 60"
    with pytest.raises(DependencyError, match=r"sh did not end within 0\.5 s and was stopped"):
        follow(tmp_path, shell(script), limits=TimeLimits(0.5, grace=0.3))
    wait_for(lambda: not is_running(int((tmp_path / "pid").read_text())), "the group to be gone")


def test_what_the_program_says_while_it_stops_is_heard(tmp_path: Path) -> None:
    lines: list[str] = []
    script = "trap 'echo stopping; exit 1' INT; echo begun; while :; do sleep 0.02; done"
    with pytest.raises(DependencyError):
        follow(tmp_path, shell(script), lines.append, TimeLimits(0.5, grace=10))
    assert lines == ["begun", "stopping"]


def test_it_can_be_cancelled_from_elsewhere(tmp_path: Path) -> None:
    request = threading.Event()
    lines: list[str] = []

    def take(line: str) -> None:
        lines.append(line)
        request.set()

    with pytest.raises(Interrupted):
        follow(tmp_path, shell("echo begun; exec sleep 60"), take, TimeLimits(60, cancelled=request.is_set))
    assert lines == ["begun"]


def test_a_listener_that_fails_stops_the_program_gently(tmp_path: Path) -> None:
    """Killed at once, Terraform would lose what it has just made."""

    def fail(line: str) -> None:
        raise ZeroDivisionError(line)

    script = f"trap 'echo saved > {tmp_path}/state; exit 1' INT; echo begun; while :; do sleep 0.02; done"
    with pytest.raises(ZeroDivisionError):
        follow(tmp_path, shell(script), fail)
    assert (tmp_path / "state").read_text() == "saved\n"


FOLLOWER = """
import os, sys
from pathlib import Path
from orchestrator.effects.system import process
folder = Path(sys.argv[1])
lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
import fcntl
fcntl.flock(lock, fcntl.LOCK_EX)
wait = f"while ! test -e {folder}/gate; do sleep 0.01; done"
script = f"echo $$ > {folder}/pid; {wait}; echo much; echo more; touch {folder}/done"
process.follow(["/bin/sh", "-c", script], cwd=folder, env=dict(os.environ), log=folder / "log", on_line=print,
               limits=process.TimeLimits(60), inherit=[lock])
"""


def test_the_program_outlives_us_and_keeps_the_lock_until_it_ends(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FOLLOWER, str(tmp_path)], stdout=subprocess.PIPE) as follower:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the program to start")
        follower.kill()
    with (tmp_path / "lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (tmp_path / "gate").touch()
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert (tmp_path / "done").exists()
    assert (tmp_path / "log").read_text() == "much\nmore\n"


def test_sigterm_stops_it_like_ctrl_c(tmp_path: Path) -> None:
    """As the command installs it: SIGTERM is a KeyboardInterrupt."""
    script = f"""
import signal, sys
from pathlib import Path
from orchestrator.effects.system import process
def interrupt(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, interrupt)
script = "trap 'exit 0' INT; echo begun; while :; do sleep 0.02; done"
process.follow(["/bin/sh", "-c", script], cwd=Path("/"), env={{}},
               log=Path("{tmp_path}/log"), on_line=lambda line: print(line, flush=True), limits=process.TimeLimits(60))
"""
    with subprocess.Popen(python(script), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        running.terminate()
        _, err = running.communicate(timeout=_PATIENCE)
    assert "Interrupted: sh was interrupted and has stopped" in err


# collect ------------------------------------------------------------------------------------------------------------


def collect(folder: Path, argv: list[str], limits: TimeLimits = PATIENT) -> int:
    return process.collect(argv, cwd=folder, env=ENV, stdout=folder / "out", stderr=folder / "err", limits=limits)


def test_both_streams_are_collected_apart(tmp_path: Path) -> None:
    assert collect(tmp_path, shell("echo out; echo err >&2; exit 2")) == 2
    assert ((tmp_path / "out").read_text(), (tmp_path / "err").read_text()) == ("out\n", "err\n")


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_more_output_than_allowed_ends_the_program_at_once(tmp_path: Path, stream: str) -> None:
    with pytest.raises(DependencyError, match=r"(yes|sh) printed more than 1000000 bytes"):
        collect(tmp_path, shell(f"trap '' INT; exec yes {stream}"), TimeLimits(60, size=1_000_000))


def test_a_collected_program_is_stopped_in_time(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="sleep did not end within"):
        collect(tmp_path, ["sleep", "60"], TimeLimits(0.2, grace=5))


# start --------------------------------------------------------------------------------------------------------------


def test_a_started_program_answers_until_it_is_ended() -> None:
    cat = process.start(["cat"], env=ENV)
    assert cat.stdin is not None
    assert cat.stdout is not None
    for word in (b"a\n", b"b\n"):
        cat.stdin.write(word)
        cat.stdin.flush()
        assert cat.stdout.readline() == word
    process.end(cat)
    assert cat.returncode == -signal.SIGTERM
