import type { Sql } from '../../src/store/database.js';

/** Lets the database itself write down each moment at which slots are taken or given back. */
export async function journalSlots(sql: Sql): Promise<void> {
  await sql.run(
    `CREATE TABLE slot_journal (id bigserial, at timestamptz DEFAULT clock_timestamp(), change int)`,
  );
  await sql.run(
    `CREATE FUNCTION note_slots() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF TG_OP = 'INSERT' THEN INSERT INTO slot_journal (change) VALUES (NEW.slots);
       ELSE INSERT INTO slot_journal (change) VALUES (-OLD.slots); END IF;
       RETURN NULL; END $$`,
  );
  await sql.run(
    `CREATE TRIGGER note_slots AFTER INSERT OR DELETE ON running_attempt
       FOR EACH ROW EXECUTE FUNCTION note_slots()`,
  );
}

/** The most slots that were taken at any moment since {@link journalSlots}, over all resource groups. */
export async function mostSlotsHeld(sql: Sql): Promise<number> {
  const [row] = await sql.rows<{ most: number }>(
    `SELECT coalesce(max(held), 0)::int AS most
       FROM (SELECT sum(change) OVER (ORDER BY at, id) AS held FROM slot_journal) j`,
  );
  return row?.most ?? 0;
}
