"""Takes out of an error what was secret in the request, and what a source's `fields` drops or hashes."""

from __future__ import annotations

from option_a.ingest.config import Source
from option_a.ingest.decode import KEPT
from option_a.ingest.errors import BodyError, OptionAError
from option_a.ingest.ports import Redact, unredacted


def redact(error: OptionAError, redacted: Redact) -> None:
    """Remove the secrets of the request from an error: an API may echo them, and its body may hold part of one."""
    if error.body is not None:
        body = redacted(error.body)
        if isinstance(error, BodyError) and body != error.body:
            error.what = error.bare
        error.body = body
    error.what, error.hint = (_redact_text(text, redacted) for text in (error.what, error.hint))


def redact_for_display(error: OptionAError, source: Source, redacted: Redact = unredacted) -> OptionAError:
    """The same error for an answer that is shown and not kept, by a command that the user can repeat."""
    redact(error, redacted)
    shown = "its beginning is below" if source.fields is None else "it is not shown: `fields` is set"
    error.hint = error.hint.replace(KEPT, shown).replace("then option-a redrive", "then again")
    if source.fields is not None:
        forget_body(error)
    return error


def forget_body(error: OptionAError) -> None:
    """Drop a body whose fields were never dropped or hashed: it is neither kept nor shown."""
    error.body = None
    error.what = error.bare if isinstance(error, BodyError) else error.what
    error.hint = error.hint.replace(KEPT, "it was not kept: `fields` is set")


def _redact_text(text: str, redacted: Redact) -> str:
    return redacted(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")
