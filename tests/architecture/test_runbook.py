"""docs/runbook.md knows every message that a night can bring, and no other."""

from __future__ import annotations

import re

from option_a.ingest import errors
from option_a.ingest.errors import ManifestError, OptionAError, PermanentError, UserError
from tests.architecture.tree import ROOT, modules
from tests.support.messages import Site, rows, sites
from tests.support.transcript import ANY, anchors

DOCUMENT = (ROOT / "docs" / "runbook.md").read_text("utf-8")
ROWS = rows(DOCUMENT)
SITES = sorted({site for path in modules("option_a") for site in sites(path)})
WHOLE_KINDS = {row.kind for row in ROWS if not row.messages}
"""Kinds whose messages each say the way out, to somebody who sits there: one row for all."""
PASSED_ON = {"error.what", "state.why", "str(error)", "why", "message", "_first_lines(error)"}
"""What hands on another's words."""


def test_the_code_is_read() -> None:
    """Else all that follows would hold of nothing."""
    assert len(SITES) > 150
    assert {"http", "body", "total", "config", "receives", "lake"} <= {site.kind for site in SITES}


def test_every_kind_of_error_has_a_row() -> None:
    classes = {cls.kind for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, OptionAError)}
    kinds = classes - {OptionAError.kind, UserError.kind} | {site.kind for site in SITES}
    assert kinds - {row.kind for row in ROWS} == set()


def test_every_message_that_the_code_can_give_has_a_row() -> None:
    assert [site for site in SITES if not known(site)] == []


def known(site: Site) -> bool:
    if site.kind in WHOLE_KINDS:
        return True
    if site.message == ANY:
        return site.place.partition(" ")[2] in PASSED_ON
    return any(row.tells(site.kind, site.message) for row in ROWS)


def test_every_error_that_ends_a_partition_says_the_way_out_itself() -> None:
    ending = {cls.kind for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, PermanentError)}
    assert [site for site in SITES if site.kind in ending | {ManifestError.kind} and not site.hinted] == []


def test_every_message_of_the_runbook_is_one_that_the_code_can_give() -> None:
    told = {(row.kind, one) for site in SITES for row in ROWS for one in row.tells(site.kind, site.message)}
    shown = {(row.kind, one) for row in ROWS for one in row.messages}
    assert {(kind, one) for kind, one in shown - told if not re.fullmatch(r"the API answered \d+", one)} == set()


def test_every_row_says_what_to_do() -> None:
    assert [row.kind for row in ROWS if len(row.remedy) < 20] == []


def test_every_link_within_the_runbook_leads_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) - anchors(DOCUMENT) == set()


def test_the_readme_leads_to_the_runbook() -> None:
    assert "(docs/runbook.md)" in (ROOT / "README.md").read_text("utf-8")
