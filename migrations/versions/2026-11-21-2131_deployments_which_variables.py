"""What a release was made and runs with, by name: for the comparison of two deployments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "202611212131"
down_revision = "202611212130"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column(
        "deployments",
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column(
        "deployments",
        sa.Column("live_variables", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("deployments", "live_variables")
    op.drop_column("deployments", "variables")
