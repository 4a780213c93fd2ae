"""Whether a host is switched to a release with the variables of that day; how many releases
a project keeps."""

import sqlalchemy as sa
from alembic import op

revision = "202611212151"
down_revision = "202611212140"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column("projects", sa.Column("keep_releases", sa.BigInteger(), nullable=True))
    op.add_column(
        "sites", sa.Column("wanted_today", sa.Boolean(), server_default="false", nullable=False)
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("sites", "wanted_today")
    op.drop_column("projects", "keep_releases")
