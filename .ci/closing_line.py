"""Says in one line how the tests ended, from pytest's JUnit file; running no test at all is a failure."""

import sys
import xml.etree.ElementTree as ET

suites = ET.parse(sys.argv[1]).getroot().iter("testsuite")  # noqa: S314 - pytest has just written it
total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
for suite in suites:
    for key in total:
        total[key] += int(suite.get(key, "0"))
failed = total["failures"] + total["errors"]
passed = total["tests"] - failed - total["skipped"]
sys.stdout.write(f"{passed} passed, {failed} failed, {total['skipped']} skipped\n")
sys.exit(failed > 0 or passed == 0)
