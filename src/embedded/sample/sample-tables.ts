/** Columns of the records in the file, as the warehouse names them: file column, name, type. */
export const BIRDSTRIKE_COLUMNS = [
  ['Airport Name', 'airport', 'varchar(64)'],
  ['Aircraft Make Model', 'aircraft', 'varchar(32)'],
  ['Effect Amount of damage', 'damage', 'varchar(16)'],
  ['Flight Date', 'flight_date', 'date'],
  ['Aircraft Airline Operator', 'operator', 'varchar(64)'],
  ['Origin State', 'origin_state', 'varchar(32)'],
  ['Phase of flight', 'phase', 'varchar(32)'],
  ['Wildlife Size', 'wildlife_size', 'varchar(16)'],
  ['Wildlife Species', 'species', 'varchar(64)'],
  ['Cost Total $', 'cost_total', 'bigint'],
] as const;

const RECORD = BIRDSTRIKE_COLUMNS.map(([, name, type]) => `${name} ${type} NOT NULL`).join(', ');

const SPECIES_COUNT =
  'ds char(8) NOT NULL, species varchar(64) NOT NULL, strikes bigint NOT NULL, PRIMARY KEY (ds, species)';

/** Of `birdstrikes`, `result_table` and the target, beside `ds`. */
export const RECORD_COLUMNS = BIRDSTRIKE_COLUMNS.map(([, name]) => name);

export const WAREHOUSE_TABLES = [
  `CREATE TABLE IF NOT EXISTS birdstrikes (${RECORD})`,
  `CREATE TABLE IF NOT EXISTS result_table (ds char(8) NOT NULL, ${RECORD})`,
  `CREATE INDEX IF NOT EXISTS ix_result_table_ds ON result_table (ds)`,
  `CREATE TABLE IF NOT EXISTS species_count (${SPECIES_COUNT})`,
];

/** The target of the tutorial: made in capitals, asked for in lower case. */
export const SAMPLE_TARGET_TABLES = {
  mysql: [
    `CREATE TABLE IF NOT EXISTS ODPS_RESULT (ds char(8) NOT NULL, ${RECORD}, KEY (ds))`,
    `CREATE TABLE IF NOT EXISTS species_count (${SPECIES_COUNT})`,
  ],
  postgres: [
    `CREATE TABLE IF NOT EXISTS odps_result (ds char(8) NOT NULL, ${RECORD})`,
    `CREATE INDEX IF NOT EXISTS ix_odps_result_ds ON odps_result (ds)`,
    `CREATE TABLE IF NOT EXISTS species_count (${SPECIES_COUNT})`,
  ],
} as const;
