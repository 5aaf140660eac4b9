import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit is read by what was changed. */
export class AuditTarget1763700000038 implements MigrationInterface {
  readonly name = 'AuditTarget1763700000038';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX ix_audit_target ON audit (target, id)');
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
