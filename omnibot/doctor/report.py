"""The findings as lines and as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from omnibot import telemetry
from omnibot.doctor.model import Finding, Symbol
from omnibot.doctor.service import Examination
from omnibot.settings import Platform, Settings

_STYLES = {Symbol.OK: "green", Symbol.WARNING: "yellow", Symbol.PROBLEM: "bold red"}
#: Columns of the mark and of the check's name.
_MARK, _CHECK = 9, 18


async def run(*, as_json: bool) -> int:
    """Examine, print as it goes, and return the exit code: 1 when there is a problem."""
    settings, wrong = Settings.survey()
    redactor = telemetry.Redactor(settings.secrets())
    # The findings say it all; the log only talks to who asked for every word.
    debugging = settings.omnibot_log_level == "debug"
    telemetry.configure(settings.secrets(), logging.DEBUG if debugging else logging.CRITICAL)
    out, err = Console(soft_wrap=True, highlight=False, markup=False, emoji=False), Console(stderr=True)
    findings = []
    with (err if as_json else out).status("Looking around") as status:
        examination = Examination(settings, wrong, dyno=Platform().dyno)
        async for found in examination.findings(lambda name: status.update(f"Waiting for: {name}")):
            finding = _redacted(found, redactor)
            findings.append(finding)
            if not as_json:
                out.print(line(finding))
    out.print(document(findings) if as_json else summary(findings))
    return 1 if any(finding.mark is Symbol.PROBLEM for finding in findings) else 0


def line(finding: Finding) -> Text:
    """One finding, and below it what to do."""
    text = Text.assemble(
        (f"{finding.mark:{_MARK}}", _STYLES[finding.mark]), f"{finding.check:{_CHECK}}", finding.message
    )
    if finding.fix is not None:
        text.append(f"\n{'':{_MARK}}to mend it: {finding.fix}")
    return text


def document(findings: Sequence[Finding]) -> str:
    """All findings as JSON."""
    lines = [{"check": each.check, "mark": each.mark, "message": each.message, "fix": each.fix} for each in findings]
    return json.dumps({"ok": _count(findings, Symbol.PROBLEM) == 0, "findings": lines}, indent=2)


def summary(findings: Sequence[Finding]) -> str:
    """How many of what."""
    problems, warnings = _count(findings, Symbol.PROBLEM), _count(findings, Symbol.WARNING)
    if not problems and not warnings:
        return "All is well."
    counted = [(problems, "problem"), (warnings, "warning")]
    return ", ".join(f"{count} {noun}{'s' if count != 1 else ''}" for count, noun in counted if count) + "."


def _redacted(finding: Finding, redactor: telemetry.Redactor) -> Finding:
    """Nothing above puts a secret into a finding; what others' servers say is not ours to vouch for."""
    fix = None if finding.fix is None else redactor.clean(finding.fix)
    return replace(finding, message=redactor.clean(finding.message), fix=fix)


def _count(findings: Sequence[Finding], mark: Symbol) -> int:
    return sum(finding.mark is mark for finding in findings)
