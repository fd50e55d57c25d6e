#!/usr/bin/env python3
"""Adds up JUnit files into one line, "N passed, N failed[, N skipped]"; exit code 1 on failures."""
import argparse
import sys
import xml.etree.ElementTree as ElementTree

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--build-failed", type=int, default=0, help="number of presets not built")
parser.add_argument("files", nargs="*", help="JUnit XML files")
arguments = parser.parse_args()

passed, failed, skipped = 0, arguments.build_failed, 0
for file in arguments.files:
    if not file.endswith(".xml") or "*" in file:
        continue
    for case in ElementTree.parse(file).iter("testcase"):
        status = case.get("status")
        if case.find("skipped") is not None or status in ("notrun", "disabled"):
            skipped += 1
            reason = case.find("skipped")
            text = reason.get("message") if reason is not None else "not run"
            print(f"skipped: {case.get('name')}: {text}")
        elif case.find("failure") is not None or status == "fail":
            failed += 1
            print(f"failed: {case.get('name')}")
        else:
            passed += 1
if passed == 0 and failed == 0:
    failed = 1
    print("failed: no test ran")
line = f"{passed} passed, {failed} failed"
print(line + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed else 0)
