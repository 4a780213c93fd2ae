"""A deploy key of a project's own."""

import sqlalchemy as sa
from alembic import op

revision = "202611211950"
down_revision = "202611211940"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column("projects", sa.Column("deploy_key_public", sa.String(), nullable=True))
    op.add_column("projects", sa.Column("deploy_key_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("projects", "deploy_key_sealed")
    op.drop_column("projects", "deploy_key_public")
