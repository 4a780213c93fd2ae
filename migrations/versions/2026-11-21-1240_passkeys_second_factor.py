"""A passkey may be asked for after a password."""

import sqlalchemy as sa
from alembic import op

revision = "202611211240"
down_revision = "202611211230"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column(
        "passkeys",
        sa.Column("is_second_factor", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.drop_column("passkeys", "is_second_factor")
