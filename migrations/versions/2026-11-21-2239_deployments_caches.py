"""Which caches a build had, and why not."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "202611212239"
down_revision = "202611212216"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column(
        "deployments", sa.Column("caches", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("deployments", "caches")
