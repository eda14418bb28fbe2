"""A contact point's case system has a key, too: a key is a provider's or an authority's."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.alter_column("provider_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("authority_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_api_key_authority_id_authority"), "authority", ["authority_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_api_key_authority_id"), ["authority_id"], unique=False)
        batch_op.create_check_constraint(
            batch_op.f("ck_api_key_one_organisation"),
            "(authority_id IS NULL) <> (provider_id IS NULL)",
        )
        # What an authority's key writes has a person behind it: whoever made the key.
        batch_op.create_check_constraint(
            batch_op.f("ck_api_key_authority_has_maker"),
            "authority_id IS NULL OR created_by_id IS NOT NULL",
        )


def downgrade() -> None:
    # Their keys open nothing in the older version, which knows keys of providers only.
    op.execute(
        "DELETE FROM idempotent_answer WHERE api_key_id IN "
        "(SELECT id FROM api_key WHERE provider_id IS NULL)"
    )
    op.execute("UPDATE api_key SET successor_id = NULL WHERE provider_id IS NULL")
    op.execute("DELETE FROM api_key WHERE provider_id IS NULL")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_api_key_authority_has_maker"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_api_key_one_organisation"), type_="check")
        batch_op.drop_index(batch_op.f("ix_api_key_authority_id"))
        batch_op.drop_constraint(
            batch_op.f("fk_api_key_authority_id_authority"), type_="foreignkey"
        )
        batch_op.drop_column("authority_id")
        batch_op.alter_column("provider_id", existing_type=sa.Uuid(), nullable=False)
