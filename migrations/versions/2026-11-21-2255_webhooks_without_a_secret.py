"""A webhook whose secret only who gave the project away knows has none, until a new one is made."""

from alembic import op

revision = "202611212255"
down_revision = "202611212239"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.alter_column("webhooks", "secret_sealed", nullable=True)


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("delete from webhooks where secret_sealed is null")
    op.alter_column("webhooks", "secret_sealed", nullable=False)
