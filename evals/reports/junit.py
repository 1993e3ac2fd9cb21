"""Write a report as JUnit XML, which CI servers show: one test per case, and one per threshold."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import regex

from evals.score import CaseScore, Report

_NOT_IN_XML = regex.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""Characters that XML 1.0 can't contain, not even escaped, although documents and models may."""


def junit(report: Report) -> str:
    """Return the XML. A case without expectations counts as skipped; one that crashed as an error."""
    root = ET.Element("testsuites", name="attest")
    for suite in report.run.suites:
        cases = [case for case in report.cases if case.suite == suite.name]
        _suite(root, suite.name, [_case(case) for case in cases], report.run.started)
    if report.gates:
        gates = []
        for gate in report.gates:
            test = ET.Element("testcase", classname="thresholds", name=_clean(gate.name), time="0")
            if not gate.met:
                _child(test, "failure", gate.sentence, "threshold")
            gates.append(test)
        _suite(root, "thresholds", gates, report.run.started)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(child.get(name, "0")) for child in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, tests: list[ET.Element], started: str) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(name), tests=str(len(tests)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(test.find(tag) is not None for test in tests)))
    suite.set("time", f"{sum(float(test.get('time', '0')) for test in tests):.3f}")
    suite.set("timestamp", started.removesuffix("Z"))
    suite.extend(tests)


def _case(case: CaseScore) -> ET.Element:
    name = case.id if case.repeat == 0 else f"{case.id} (time {case.repeat + 1})"
    seconds = (case.latency_ms or 0) / 1000
    test = ET.Element("testcase", classname=_clean(case.suite), name=_clean(name), time=f"{seconds:.3f}")
    details = "\n".join(f"{one.expectation}: {one.reason}" for one in case.failures)
    if case.error is not None:
        _child(test, "error", f"{case.question}\n{details or case.error}", case.error)
    elif case.passed is False:
        _child(test, "failure", f"{case.question}\n{details}", case.failures[0].reason)
    elif case.passed is None:
        _child(test, "skipped", "", "no expectations")
    return test


def _child(test: ET.Element, tag: str, text: str, message: str) -> None:
    ET.SubElement(test, tag, message=_clean(message)).text = _clean(text) or None


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
