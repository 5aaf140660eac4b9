/** Where Debian puts the programs of PostgreSQL 15: the oldest server the data plane is verified on. */
export const POSTGRES15 = '/usr/lib/postgresql/15';
