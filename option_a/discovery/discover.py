"""Asks an API two or three times, and says how it is to be declared. Each guess is tried by the pipeline's own code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from option_a.discovery.candidates import Candidate, candidates, last_resort
from option_a.discovery.report import Answered, Line, Report, declared
from option_a.discovery.signals import Signals, declared_rate, read_signals
from option_a.discovery.url import Query
from option_a.ingest.config import Source
from option_a.ingest.decode import (
    ERRORS,
    BodyFormat,
    DecodedBody,
    RecordList,
    check_errors,
    decode_lines,
    read_body,
    record_lists,
)
from option_a.ingest.errors import HttpError, OptionAError, PermanentError, Where
from option_a.ingest.http import build_request
from option_a.ingest.jsontext import decode_or_none
from option_a.ingest.load import page_info_of, records_of, redact_for_display
from option_a.ingest.pagination import Cursor
from option_a.ingest.ports import Fetch, Response
from option_a.ingest.task import Task

REQUESTS = 3
"""The most that are made."""
_ANYTHING = msgspec.json.Decoder()


class Discovery:
    """One API, and what is known of it so far."""

    def __init__(self, name: str, query: Query, given: Mapping[str, Any], fetch: Callable[[Source], Fetch]) -> None:
        self.name, self.query, self.fetch = name, query, fetch
        self.lines: list[Line] = [Line("url", query.url)]
        self.unsure: list[str] = []
        self.left = REQUESTS
        self.response: Response
        self.date = query.date[1] if query.date is not None else dt.date.min
        self.given = dict(given)
        self._take()

    def run(self, today: dt.date) -> Report:
        """Ask, and conclude. Raises OptionAError where the first request gives no page of records."""
        if self.query.date is None:
            self.date = today
        response = self.response = self._fetched(self._source({"style": "none"}), 1, None)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        found = self._read(response, kind)
        first = next(iter(decode_lines(found.lines)), {})
        signs = read_signals(found.meta, response.headers, found.records, first)
        answered = Answered(found, response.headers)
        given = [Candidate(self.given["pagination"], "as given")] if "pagination" in self.given else None
        self._paginate(answered, signs, given or candidates(signs, self.query, found.records, first))
        self._manners(response, signs)
        self._rest()
        return Report(self.name, self.lines, self.unsure, answered, signs)

    def _take(self) -> None:
        query = self.query
        for key, value in query.dated(self.given).items():
            if key == "window":
                begin, end = value["from"], value["to"]
                self.lines.append(Line(key, value, f"`{begin}` and `{end}` of the URL hold the two ends of a day"))
                self.unsure.append(
                    f'whether `{end}` is exclusive or, with window.end = "inclusive", belongs to the day'
                )
            else:
                self.lines.append(Line(key, value, f"`{value}` of the URL holds a date"))
        if query.date is not None and "date_offset" not in self.given:
            self.unsure.append("date_offset: a night's run asks for today; for yesterday, which is whole, set it to -1")
        kept = {key: value for key, value in self.given.items() if key not in ("params", "pagination")}
        self.lines += [Line(key, value, "as given") for key, value in kept.items()]

    def _rest(self) -> None:
        """The other parameters of the URL, behind the url itself."""
        pagination = next(line.value for line in self.lines if line.key == "pagination")
        params = self._params(pagination)
        if params:
            self.lines.insert(1, Line("params", params, "what else is asked for"))

    def _source(self, pagination: Mapping[str, Any]) -> Source:
        table = {line.key: line.value for line in self.lines} | {"pagination": pagination}
        return declared(self.name, table | {"params": self._params(pagination)})

    def _params(self, pagination: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.query.params(pagination), **self.given.get("params", {})}

    def _fetched(self, source: Source, page: int, cursor: Cursor | None) -> Response:
        """One request, at the date that is asked for; the first one just as the URL has it."""
        self.left -= 1
        request = build_request(source, Task(self.name, self.date, "doctor"), page, cursor)
        if page == 1:
            request = msgspec.structs.replace(request, params={**request.params, **self.query.whole})
        try:
            return self.fetch(source)(request)
        except OptionAError as error:
            raise redact_for_display(error, source).at(Where(source=self.name, page=page)) from None

    def _read(self, response: Response, kind: str) -> DecodedBody:
        """The records. Raises PermanentError, of which no more is shown than may be."""
        try:
            found = self._records(response, kind)
            check_errors(found, response.body, self.given.get("errors", "error"))
        except PermanentError as error:
            raise redact_for_display(error, self._source({"style": "none"}), response.redact) from None
        return found

    def _records(self, response: Response, kind: str) -> DecodedBody:
        """The records: of CSV or NDJSON by their type; in JSON by the rule, or where else they may be."""
        how = _format(kind)
        if how != "json":
            self.lines.append(Line("format", how, f"the answer's type is {kind}"))
            return read_body(response.body, self._source({"style": "none"}).reading, None)
        source = self._source({"style": "none"})
        if source.records is not None:
            return read_body(response.body, source.reading, source.records)
        place = self._place(response.body)
        if place is None:
            return read_body(response.body, BodyFormat(), None)
        why = f"the list of {place.count} records" if place.shape == "objects" else f"{place.count} {place.shape}"
        self.lines.append(Line("records", place.path, why))
        if place.shape != "objects":
            self.lines.append(Line("shape", place.shape, "no list of objects was found"))
        return read_body(response.body, self._source({"style": "none"}).reading, place.path)

    def _place(self, body: bytes) -> RecordList | None:
        found = _places(body)
        if not found:
            self.unsure.append("where the records are: the body holds no list of objects (is the list empty today?)")
            return None
        if len(found) > 1 and found[1].shape == found[0].shape:
            others = ", ".join(map(str, found[1:4]))
            self.unsure.append(f"whether the records are at `{found[0].path}`; there are also {others}")
        return found[0]

    def _paginate(self, first: Answered, signs: Signals, guesses: list[Candidate]) -> None:
        refuted: list[str] = []
        for likely in guesses:
            guess = self._checked(likely, first)
            verdict = self._try(guess, first)
            if verdict is not None:
                self._settle(guess, verdict)
                return
            refuted.append(guess.table["style"])
        left = last_resort(signs, first.records)
        self._settle(left, f"`{'`, `'.join(refuted)}` led to no other records")

    def _settle(self, guess: Candidate, verdict: str) -> None:
        self.lines.append(Line("pagination", guess.table, f"{guess.why}; {verdict}"))
        if guess.unsure:
            self.unsure.append(guess.unsure)

    def _checked(self, guess: Candidate, first: Answered) -> Candidate:
        """The guess, without a total that page 2 shows to be the number of the page's own records."""
        counted = guess.table["style"] in ("page", "offset") and "total_records" in guess.table
        if not counted or "pagination" in self.given:
            return guess
        if self.given.get("total", "exact") != "exact":
            return guess.reconciled()
        if not first.records or not self.left:
            return guess
        source = self._source(guess.table)
        try:
            info = page_info_of(source, self.response, first.found)
            if info.last != 1 or info.total != first.records:
                return guess
            second = records_of(source, self._fetched(source, 2, None), first.found.path or None)
        except PermanentError:
            return guess
        others = _again(first, second) < second.records
        return guess.without_total("page 2 holds others: it counts the records of a page") if others else guess

    def _try(self, guess: Candidate, first: Answered) -> str | None:
        """What the second page says of a guess; None where it does not bear it out."""
        source = self._source(guess.table)
        try:
            info = page_info_of(source, self.response, first.found)
        except PermanentError as error:
            self.unsure.append(f"pagination: {guess.why}, but {error.what}")
            return None
        if guess.alone or info.last == 1 or not self.left:
            why = "it could not be tried" if not (info.last == 1 and self.left) else "there was one page only"
            self.unsure.append(f"pagination: {why}, so look at a date with more records")
            return why
        try:
            response = self._fetched(source, 2, info.cursor)
            second = records_of(source, response, first.found.path or None)
        except HttpError as error:
            return None if error.status != 404 else self._past_the_end(guess)
        except PermanentError:
            return None
        return self._compared(guess, first, second)

    def _past_the_end(self, guess: Candidate) -> str | None:
        if guess.table["style"] != "page":
            return None
        self.lines.append(Line("statuses", {"404": "empty"}, "page 2 was answered with 404: there was one page only"))
        self.unsure.append("pagination: there was one page only, so look at a date with more records")
        return "page 2 is past the end"

    def _compared(self, guess: Candidate, first: Answered, second: DecodedBody) -> str | None:
        if not second.records:
            self.unsure.append("pagination: the second page was empty, so look at a date with more records")
            return "page 2 was asked for, and is empty"
        again = _again(first, second)
        if again == second.records:
            return None
        if again:
            self.unsure.append(f"pagination: {again} of the {second.records} records of page 2 are on page 1 too")
        return f"page 2 was asked for so, and holds {second.records} other records"

    def _manners(self, response: Response, signs: Signals) -> None:
        limit = declared_rate(response.headers)
        if signs.rate is not None:
            self.lines.append(Line("rate", signs.rate, "the response headers tell this limit"))
        elif limit is not None:
            self.unsure.append(f"the rate: the response says `{limit}`, and not for how long")
        if self.query.date is None and "date_param" not in {line.key for line in self.lines}:
            dates = f" (the records have {', '.join(signs.dates[:3])})" if signs.dates else ""
            self.unsure.append(
                f"dates: as it stands the source is a snapshot of today{dates}. If the API takes a date, "
                "ask with it in the URL, as in ?date=2026-11-23, and it will be declared"
            )


def _again(first: Answered, second: DecodedBody) -> int:
    """How many records of page 2 are on page 1 too."""
    before = set(first.found.lines.splitlines())
    return sum(line in before for line in second.lines.splitlines())


def _format(kind: str) -> str:
    if kind in ("text/csv", "application/csv"):
        return "csv"
    return "ndjson" if kind in ("application/x-ndjson", "application/jsonl", "application/ndjson") else "json"


def _places(body: bytes) -> list[RecordList]:
    document = decode_or_none(_ANYTHING, body)
    return [place for place in record_lists(document) if not {*place.path.split(".")} & {*ERRORS}]
