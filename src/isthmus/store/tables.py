"""The tables, as this version has them. What changes here needs a migration in `migrations/versions`.

Times are Unix seconds, money whole microdollars. Texts that are lists or mappings hold JSON.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

client_keys = Table(
    "client_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("hint", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("earlier", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("expires_at", Double),
    Column("disabled", Boolean, nullable=False),
    Column("permits", Text, nullable=False),
    Column("allowance", Text, nullable=False),
    Column("on_loss", Text),
    Column("believed", Boolean, nullable=False),
    Column("cache", Boolean),
    UniqueConstraint("name", name="client_keys_name"),
)

versions = Table(
    "versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""How often something changed, for whoever keeps a copy of it."""

used = Table(
    "used",
    metadata,
    Column("id", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("client", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fresh_input", BigInteger, nullable=False),
    Column("cache_read", BigInteger, nullable=False),
    Column("cache_write", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("reasoning", BigInteger, nullable=False),
    Column("microdollars", BigInteger),
    Column("ms", Double, nullable=False),
    Column("first_ms", Double),
    Column("losses", Integer, nullable=False),
    Column("cached", Boolean, nullable=False),
    PrimaryKeyConstraint("at", "id"),
    sqlite_with_rowid=False,
)
"""One row for each exchange, in the order of time: every row is written to the end, and an exchange's is always there.

A row that is written far from the one before it costs SQLite a page, and so more than all else of it: those that are
found by names have their indexes in PostgreSQL alone.
"""
Index("used_client_at", used.c.client, used.c.at).ddl_if(dialect="postgresql")
Index("used_model_at", used.c.model, used.c.at).ddl_if(dialect="postgresql")
NOT_ANSWERED = text("outcome <> 'answered'")
Index("used_failed_at", used.c.at, sqlite_where=NOT_ANSWERED, postgresql_where=NOT_ANSWERED)


def _sums(name: str, begins: str) -> Table:
    """A table of sums, by when they begin and all that rows can be told apart by."""
    return Table(
        name,
        metadata,
        Column(begins, BigInteger, primary_key=True),
        Column("client", Text, primary_key=True),
        Column("team", Text, primary_key=True),
        Column("provider", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("model", Text, primary_key=True),
        Column("operation", Text, primary_key=True),
        Column("requests", BigInteger, nullable=False),
        Column("failed", BigInteger, nullable=False),
        Column("cancelled", BigInteger, nullable=False),
        Column("fresh_input", BigInteger, nullable=False),
        Column("cache_read", BigInteger, nullable=False),
        Column("cache_write", BigInteger, nullable=False),
        Column("output", BigInteger, nullable=False),
        Column("reasoning", BigInteger, nullable=False),
        Column("microdollars", BigInteger, nullable=False),
        Column("unpriced", BigInteger, nullable=False),
        Column("ms", Double, nullable=False),
        Column("first_ms", Double, nullable=False),
        Column("first_count", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


used_hours = _sums("used_hours", "hour")
used_days = _sums("used_days", "day")

spent = Table(
    "spent",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True),
    Column("microdollars", BigInteger, nullable=False),
)

deeds = Table(
    "deeds",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("on", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
Index("deeds_at", deeds.c.at)

bodies = Table(
    "bodies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("client", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("request", Text),
    Column("answer", Text),
    Column("request_bytes", BigInteger, nullable=False),
    Column("answer_bytes", BigInteger, nullable=False),
)
"""What was said in an exchange, where that is kept, without secrets."""
Index("bodies_at", bodies.c.at)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("added_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("refreshed_at", Double),
    Column("used_at", Double),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("concurrency", BigInteger),
    Column("models", Text, nullable=False),
    Column("windows", Text, nullable=False),
    Column("windows_at", Double),
    Column("source", Text, nullable=False),
    UniqueConstraint("issuer", "name", name="accounts_name"),
)

account_tokens = Table(
    "account_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("leased_by", Text, nullable=False),
    Column("leased_until", Double, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""The tokens of an account, encrypted, and who may refresh them: apart, so that accounts are read without them."""

configurations = Table(
    "configurations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("note", Text, nullable=False),
)
