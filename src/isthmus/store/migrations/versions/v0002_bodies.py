"""What was said in exchanges, where an operator asks for that."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "bodies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("request", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("request_bytes", sa.BigInteger, nullable=False),
        sa.Column("answer_bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("bodies_at", "bodies", ["at"])
