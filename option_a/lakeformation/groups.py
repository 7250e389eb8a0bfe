"""A group of analysts: what it may see, and who may be one of it, as declared in access.toml."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(?:user|role)/[\w+=,.@/-]+")
PROVIDER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:saml-provider/[\w.-]+")
_SET = re.compile(r"[\w+=,.@-]{1,32}")


class Account(msgspec.Struct, frozen=True, tag_field="style", tag="account"):
    """Whoever of the account is allowed, by IAM, to assume the role."""


class Principals(msgspec.Struct, frozen=True, tag_field="style", tag="principals", forbid_unknown_fields=True):
    """These users and roles."""

    arns: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.arns:
            raise ValueError("`arns` is empty: name users or roles")
        for arn in self.arns:
            if not PRINCIPAL.fullmatch(arn):
                raise ValueError(f"{arn!r} is not the ARN of a user or a role: arn:aws:iam::123456789012:role/NAME")


class IdentityCenter(msgspec.Struct, frozen=True, tag_field="style", tag="identity_center", forbid_unknown_fields=True):
    """Whoever signed in with a permission set of IAM Identity Center."""

    permission_set: str

    def __post_init__(self) -> None:
        if not _SET.fullmatch(self.permission_set):
            raise ValueError(f"{self.permission_set!r} is not a valid permission set name")


class Saml(msgspec.Struct, frozen=True, tag_field="style", tag="saml", forbid_unknown_fields=True):
    """Whoever signed in at an identity provider, with these attributes."""

    provider: str
    attributes: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not PROVIDER.fullmatch(self.provider):
            raise ValueError(
                f"{self.provider!r} is not the ARN of a provider: arn:aws:iam::123456789012:saml-provider/NAME"
            )
        for key in self.attributes:
            if not re.fullmatch(r"(?i)saml:\w+", key) or key.lower() == "saml:aud":
                raise ValueError(f"{key!r} is not an attribute that a role can require, such as SAML:sub")


Who = Account | Principals | IdentityCenter | Saml


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is described in docs/access.md. Columns are named as a record spells them, or as Athena does."""

    name: str
    sources: Literal["*"] | tuple[str, ...]
    columns: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    rows: str | None = None
    who: Who = Account()

    def __post_init__(self) -> None:
        if self.columns and self.without:
            raise ValueError("`columns` and `without` are mutually exclusive: name what is visible, or what is hidden")
        if not self.sources:
            raise ValueError('`sources` is empty: name some, or write "*" for all, those to come included')
        if self.rows is not None and not self.rows.strip():
            raise ValueError("`rows` is empty: leave it out where every row may be seen")

    @property
    def limited(self) -> bool:
        """Whether it sees a part of a table only: then it gets typed tables alone, never a record as text."""
        return bool(self.columns or self.without or self.rows)

    @property
    def logical_id(self) -> str:
        """Its name in the names of what CloudFormation makes."""
        return "".join(part.capitalize() for part in self.name.split("-"))


Groups = dict[str, Group]
