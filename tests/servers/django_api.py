"""A Django REST framework API in one file: pages, offsets, cursors, a token. `django_api.py PORT DAY=COUNT …`."""

# mypy: disable-error-code="misc"

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of the tests",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("shop.sqlite").absolute()}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "rest_framework.authtoken"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import generics, pagination, permissions, serializers  # noqa: E402
from rest_framework.authentication import TokenAuthentication  # noqa: E402

TOKEN = "0123456789abcdef0123456789abcdef01234567"


class Order(models.Model):
    """What is served."""

    day = models.DateField()
    price = models.DecimalField(max_digits=9, decimal_places=2)
    note = models.TextField(null=True)

    class Meta:
        app_label = "shop"


class OrderSerializer(serializers.ModelSerializer):
    class Meta:
        model = Order
        fields = ("id", "day", "price", "note")


class ByNumber(pagination.PageNumberPagination):
    page_size, page_size_query_param, max_page_size = 50, "page_size", 100


class ByOffset(pagination.LimitOffsetPagination):
    default_limit, max_limit = 50, 100


class ByCursor(pagination.CursorPagination):
    page_size, ordering = 50, "id"


class Orders(generics.ListAPIView):
    """The orders of a day, or all."""

    serializer_class = OrderSerializer

    def get_queryset(self) -> Any:
        day = self.request.query_params.get("day")
        return Order.objects.filter(day=day).order_by("id") if day else Order.objects.order_by("id")


class Guarded(Orders):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)
    pagination_class = ByNumber


urlpatterns = [
    path("number", Orders.as_view(pagination_class=ByNumber)),
    path("offset", Orders.as_view(pagination_class=ByOffset)),
    path("cursor", Orders.as_view(pagination_class=ByCursor)),
    path("guarded", Guarded.as_view()),
]


def fill(days: dict[str, int]) -> None:
    """A fresh database, with so many orders of each day, and one user with a token."""
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    orders = ((day, n) for day, count in days.items() for n in range(count))
    Order.objects.bulk_create(Order(day=day, price=f"{n}.10", note=f"é {n}" if n % 3 else None) for day, n in orders)
    Token.objects.create(user=User.objects.create(username="etl"), key=TOKEN)


if __name__ == "__main__":
    from django.core.servers.basehttp import run
    from django.core.wsgi import get_wsgi_application

    fill({day: int(count) for day, _, count in (word.partition("=") for word in sys.argv[2:])})
    run("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), threading=True)
