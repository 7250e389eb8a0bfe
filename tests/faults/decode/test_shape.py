"""The first page says where the records are: a later page of another shape is an error, not a record."""

from __future__ import annotations

from pathlib import Path

from option_a.ingest.ports import Request
from tests.support.pipeline import DATE, Pipeline

ONE = b'{"id":1,"day":"a"}'
OTHER = b'{"data":[{"id":2}],"more":false}'


def test_after_a_page_that_was_one_record_a_list_of_records_is_an_error_with_its_body_kept(tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        return ONE if request.params["page"] == "1" else OTHER

    pipeline = Pipeline(tmp_path, answer)
    pipeline.send()
    assert pipeline.drain() == ["failed"]
    (letter,) = pipeline.queue.dead
    said = f"s {DATE} page 2: page 1 was a single record, but this page has a list of records at `data` "
    assert letter.cause.message == said + '(say where they are: records = "…")'
    assert (letter.cause.kind, letter.cause.page) == ("body", 2)
    assert list(pipeline.objects("dead").values()) == [OTHER]
