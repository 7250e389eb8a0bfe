"""The mock payload: deterministic, realistic, by the contract `GET ?date=YYYY-MM-DD&page=N`. Pure.

The same source, date and page give the same bytes for ever; past the last page a body holds no records.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from option_a.ingest.errors import HttpError
from option_a.ingest.http.urls import with_params
from option_a.ingest.ports import Request, Response

PAGE_SIZE = 250
_CITIES = ("Kraków", "Łódź", "München", "São Paulo", "東京", "Lyon", "Austin", "Malmö", "Cusco", "Nairobi")
_CHANNELS = ("web", "app", "store", "phone", "partner")
_ORDER_STATES = ("open", "paid", "shipped", "returned", "cancelled")
_EVENTS = ("page_view", "search", "add_to_cart", "checkout", "sign_in", "error")
_METHODS = ("card", "transfer", "wallet", "invoice")


class MockFetch:
    """Answers `mock://<source>?date=D&page=N` as the real API would over HTTP."""

    def __call__(self, request: Request) -> Response:
        parts = urlsplit(with_params(request.url, request.params))
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        body = mock_body(parts.netloc, query.get("date", ""), query.get("page", "1"))
        return Response(200, {"content-type": "application/json"}, body)


def mock_body(source: str, date: str, page: str) -> bytes:
    """The body of one page. Raises HttpError 400, as the API would, for a page or a date that is none."""
    if not (page.isascii() and page.isdigit() and len(page) <= 9) or int(page) < 1:
        raise HttpError("the API answered 400", status=400, hint="page is a number from 1")
    try:
        day = dt.datetime.fromisoformat(date or "2020-01-01").replace(tzinfo=dt.UTC)
    except ValueError:
        raise HttpError("the API answered 400", status=400, hint="date is YYYY-MM-DD") from None
    total = random.Random(f"{source}|{date}").randrange(1_200, 3_200)
    first = (int(page) - 1) * PAGE_SIZE
    count = max(0, min(PAGE_SIZE, total - first))
    rng = random.Random(f"{source}|{date}|{page}")
    data = [_record(source, rng, first + n + 1, day) for n in range(count)]
    return msgspec.json.encode({"data": data, "page": int(page), "date": date})


def _record(source: str, rng: random.Random, number: int, day: dt.datetime) -> dict[str, Any]:
    moment = day + dt.timedelta(milliseconds=rng.randrange(86_400_000))
    head = {
        "id": f"{source}-{day:%Y%m%d}-{number:06d}",
        "uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
    }
    return head | _KINDS.get(source, _order)(rng)


def _order(rng: random.Random) -> dict[str, Any]:
    return {
        "status": rng.choice(_ORDER_STATES),
        "channel": rng.choice(_CHANNELS),
        "amount": round(rng.lognormvariate(4, 1), 2),
        "currency": "EUR",
        "items": rng.randrange(1, 9),
        "customer": {"id": rng.randrange(1, 50_000), "city": rng.choice(_CITIES)},
        "coupon": None if rng.random() < 0.8 else f"SAVE{rng.randrange(5, 30)}",
    }


def _customer(rng: random.Random) -> dict[str, Any]:
    return {
        "customer_id": rng.randrange(1, 50_000),
        "city": rng.choice(_CITIES),
        "segment": rng.choice(("private", "business", "public")),
        "newsletter": rng.random() < 0.3,
        "lifetime_value": round(rng.lognormvariate(6, 1), 2),
        "tags": rng.sample(_CHANNELS, rng.randrange(0, 3)),
    }


def _event(rng: random.Random) -> dict[str, Any]:
    return {
        "event": rng.choice(_EVENTS),
        "session": f"{rng.getrandbits(48):012x}",
        "duration_ms": int(rng.expovariate(1 / 800)),
        "path": f"/c/{rng.randrange(10_000)}",
        "mobile": rng.random() < 0.6,
    }


def _payment(rng: random.Random) -> dict[str, Any]:
    return {
        "order_id": rng.randrange(1, 900_000),
        "method": rng.choice(_METHODS),
        "amount": round(rng.lognormvariate(4, 1), 2),
        "fee": round(rng.random() * 2, 4),
        "settled": rng.random() < 0.9,
    }


_KINDS = {"api-a": _order, "api-b": _customer, "api-c": _event, "api-d": _payment}
