"""A source may be of a commit that stands on no branch of its repository."""

import sqlalchemy as sa
from alembic import op

revision = "202611212130"
down_revision = "202611211950"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column("sources", sa.Column("ref", sa.String(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("sources", "ref")
