"""A token for the Git host of a project, which is told what becomes of commits."""

import sqlalchemy as sa
from alembic import op

revision = "202611211940"
down_revision = "202611211910"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column("webhooks", sa.Column("token_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("webhooks", sa.Column("token_host", sa.String(32), nullable=True))
    op.create_check_constraint(
        "host", "webhooks", "token_host in ('github', 'gitlab', 'gitea', 'bitbucket')"
    )
    op.add_column("webhooks", sa.Column("api_url", sa.String(), nullable=True))
    op.add_column("webhooks", sa.Column("report_error", sa.String(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    for column in ("report_error", "api_url", "token_host", "token_sealed"):
        op.drop_column("webhooks", column)
