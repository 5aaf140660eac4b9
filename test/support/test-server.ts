/** How to reach one private server of this test run. */
export interface TestServer {
  readonly kind: 'postgres' | 'mysql';
  /** `postgres`, `postgres15`, `mariadb`, `mysql97`: for test names. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Of a PostgreSQL that listens on a socket too. */
  readonly socketFolder?: string | undefined;
}

export interface TestServers {
  readonly postgres: TestServer;
  /** `undefined` where the machine cannot have it; the run has printed `not verified`. */
  readonly postgres15: TestServer | undefined;
  readonly mariadb: TestServer | undefined;
  readonly mysql97: TestServer | undefined;
}
