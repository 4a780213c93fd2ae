"""A device code knows who asked from where, when it was shown last, and for how long it is."""

import sqlalchemy as sa
from alembic import op

revision = "202611211250"
down_revision = "202611211240"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '5s'")
    op.add_column(
        "device_codes", sa.Column("address", sa.String(), server_default="", nullable=False)
    )
    op.add_column("device_codes", sa.Column("lasts_days", sa.BigInteger(), nullable=True))
    op.add_column("device_codes", sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    for column in ("polled_at", "lasts_days", "address"):
        op.drop_column("device_codes", column)
