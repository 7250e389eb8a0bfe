"""docs/messages.md knows every message that a night can bring, and no other; docs/runbook.md has two pages."""

from __future__ import annotations

import re
from functools import cache

from option_a.ingest import errors
from option_a.ingest.errors import ManifestError, OptionAError, PermanentError, UserError
from tests.architecture.tree import kept, modules
from tests.support.documents.messages import ErrorSite, error_sites, message_rows
from tests.support.documents.transcript import ELLIPSIS, MESSAGES, RUNBOOK, anchors, transcripts, visible_lines

ROWS = message_rows(MESSAGES)
WHOLE_KINDS = {row.kind for row in ROWS if not row.messages}
"""Kinds whose messages each say the way out, to somebody who sits there: one row for all."""
PASSED_ON = {"error.what", "state.why", "str(error)", "why", "message", "_first_lines(error)"}
"""What hands on another's words."""
TWO_PAGES = 130
"""Lines of two sheets of A4."""
WIDTH = 140


@cache
def all_sites() -> list[ErrorSite]:
    """Every place in the code where an error is made."""
    return sorted({site for path in modules("option_a") for site in error_sites(path)})


def test_the_code_is_read() -> None:
    """Else all that follows would hold of nothing."""
    assert len(all_sites()) > 150
    assert {"http", "body", "total", "config", "receives", "lake"} <= {site.kind for site in all_sites()}


def test_every_kind_of_error_has_a_row() -> None:
    classes = {cls.kind for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, OptionAError)}
    kinds = classes - {OptionAError.kind, UserError.kind} | {site.kind for site in all_sites()}
    assert kinds - {row.kind for row in ROWS} == set()


def test_every_message_that_the_code_can_give_has_a_row() -> None:
    assert [site for site in all_sites() if not known(site)] == []


def known(site: ErrorSite) -> bool:
    if site.kind in WHOLE_KINDS:
        return True
    if site.message == ELLIPSIS:
        return site.place.partition(" ")[2] in PASSED_ON
    return any(row.matches(site.kind, site.message) for row in ROWS)


def test_every_error_that_ends_a_partition_says_the_way_out_itself() -> None:
    ending = {cls.kind for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, PermanentError)}
    assert [site for site in all_sites() if site.kind in ending | {ManifestError.kind} and not site.hinted] == []


def test_every_message_of_the_table_is_one_that_the_code_can_give() -> None:
    told = {(row.kind, one) for site in all_sites() for row in ROWS for one in row.matches(site.kind, site.message)}
    shown = {(row.kind, one) for row in ROWS for one in row.messages}
    assert {(kind, one) for kind, one in shown - told if not re.fullmatch(r"the API answered \d+", one)} == set()


def test_every_row_says_what_to_do() -> None:
    assert [row.kind for row in ROWS if len(row.remedy) < 20] == []


def test_the_runbook_has_two_pages() -> None:
    lines = visible_lines(RUNBOOK)
    assert len(lines) <= TWO_PAGES
    assert [line for line in lines if len(line) > WIDTH] == []


def test_every_kind_of_failure_has_its_way_out_in_the_runbook_once() -> None:
    failures = re.findall(r"^\| (`[^|]+) \|", RUNBOOK.partition("\n## Failures\n")[2], re.MULTILINE)
    named = [kind for cell in failures[1:] for kind in re.findall(r"`([a-z-]+)`", cell.partition(";")[0])]
    assert sorted(named) == sorted({row.kind for row in ROWS})


def test_what_the_text_says_a_command_prints_is_what_its_transcript_shows() -> None:
    said = set(re.findall(r"`(option-a [^`]+)` prints `([^`]+)`", RUNBOOK + MESSAGES))
    steps = [step for scene in transcripts(RUNBOOK, MESSAGES).values() for step in scene]
    assert len(said) > 1
    assert said - {(step.command, line) for step in steps for line in step.output} == set()


def test_every_link_within_and_between_the_two_leads_somewhere() -> None:
    here = {"runbook.md": RUNBOOK, "messages.md": MESSAGES}
    there = {f"{name}#{anchor}" for name, text in here.items() for anchor in anchors(text)} | here.keys()
    for name, text in here.items():
        links = re.findall(r"\]\(([^)]+)\)", text)
        assert {name + link if link.startswith("#") else link for link in links} - there == set(), name


def test_the_readme_leads_to_both() -> None:
    assert {"(docs/runbook.md)", "(docs/messages.md)"} <= set(re.findall(r"\(docs/\w+\.md\)", kept()["README.md"]))
