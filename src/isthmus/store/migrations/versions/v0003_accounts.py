"""Accounts that somebody signed in to, and their tokens, encrypted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("issuer", "name", "email", "subject", "plan", "state", "why", "models", "windows", "source"),
        sa.Column("added_at", sa.Double, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("expires_at", "refreshed_at", "used_at", "windows_at")),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("concurrency", sa.BigInteger),
        sa.UniqueConstraint("issuer", "name", name="accounts_name"),
    )
    op.create_table(
        "account_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        *_texts("key", "leased_by"),
        sa.Column("leased_until", sa.Double, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
