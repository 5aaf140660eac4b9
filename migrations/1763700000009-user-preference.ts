import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a person chose for the pages: small values by key, the same on every machine they sign in from. */
export class UserPreference1763700000009 implements MigrationInterface {
  readonly name = 'UserPreference1763700000009';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE user_preference (
        user_id bigint NOT NULL REFERENCES app_user ON DELETE CASCADE,
        key text NOT NULL CHECK (key ~ '^[a-z][a-zA-Z0-9.]{0,63}$'),
        value jsonb NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (user_id, key)
      );
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
