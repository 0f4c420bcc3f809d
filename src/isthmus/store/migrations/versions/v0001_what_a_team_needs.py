"""Client keys, use, what was spent, deeds and configurations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NAMES = ("client", "team", "provider", "key", "model", "operation")
_TOKENS = ("fresh_input", "cache_read", "cache_write", "output", "reasoning")
_SUMS = ("requests", "failed", "cancelled", *_TOKENS, "microdollars", "unpriced")


def upgrade() -> None:
    _keys()
    _use()
    _sums()
    _journal()


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wholes(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _keys() -> None:
    op.create_table(
        "client_keys",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("name", "hint", "earlier", "owner", "team", "tags", "metadata", "permits", "allowance"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("on_loss", sa.Text),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("believed", sa.Boolean, nullable=False),
        sa.Column("cache", sa.Boolean),
        sa.UniqueConstraint("name", name="client_keys_name"),
    )
    op.create_table("versions", sa.Column("name", sa.Text, primary_key=True), *_wholes("number"))


def _use() -> None:
    op.create_table(
        "used",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        *_texts(*_NAMES, "asked", "dialect", "lane", "outcome", "error"),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_wholes(*_TOKENS),
        sa.Column("microdollars", sa.BigInteger),
        sa.Column("ms", sa.Double, nullable=False),
        sa.Column("first_ms", sa.Double),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("at", "id"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("used_client_at", "used", ["client", "at"])
        op.create_index("used_model_at", "used", ["model", "at"])
    failed = sa.text("outcome <> 'answered'")
    op.create_index("used_failed_at", "used", ["at"], sqlite_where=failed, postgresql_where=failed)


def _sums() -> None:
    for name, begins in (("used_hours", "hour"), ("used_days", "day")):
        op.create_table(
            name,
            *_wholes(begins),
            *_texts(*_NAMES),
            *_wholes(*_SUMS),
            sa.Column("ms", sa.Double, nullable=False),
            sa.Column("first_ms", sa.Double, nullable=False),
            *_wholes("first_count"),
            sa.PrimaryKeyConstraint(begins, *_NAMES),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "spent",
        *_texts("scope", "period"),
        *_wholes("since", "microdollars"),
        sa.PrimaryKeyConstraint("scope", "period", "since"),
    )


def _journal() -> None:
    op.create_table(
        "deeds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        *_texts("who", "role", "peer", "what", "on", "outcome", "detail"),
    )
    op.create_index("deeds_at", "deeds", ["at"])
    op.create_table(
        "configurations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        *_texts("who", "text", "note"),
    )
