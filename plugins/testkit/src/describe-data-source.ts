import type { ConnectivityStep, DataSourceType } from '@millrace/sdk';
import { CONNECTIVITY_STEPS } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import { expectManifest, parseConfig } from './config-check.js';

export interface DataSourceFixture extends AsyncDisposable {
  /** A configuration that works, as a user writes it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Configurations that fail, at which step and with which code. */
  readonly broken: readonly {
    readonly name: string;
    readonly config: unknown;
    readonly step: ConnectivityStep['step'];
    readonly code: string;
  }[];
  /** A table that is there, and one of its columns. */
  readonly table?: string;
  readonly column?: string;
  /** Of tables, partitions that are there and others; where the data source has a check at the source. */
  readonly partitions?: readonly {
    readonly table: string;
    readonly present: readonly string[];
    readonly gone: readonly string[];
  }[];
}

export interface DataSourceContract {
  readonly type: DataSourceType;
  readonly urls?: readonly { readonly url: string; readonly expected: unknown }[];
  readonly badUrls?: readonly string[];
  readonly open: () => Promise<DataSourceFixture>;
}

/** The contract of a data source type, against a real system. */
export function describeDataSource(name: string, contract: DataSourceContract): void {
  // The host keeps types by their name, as the manifest does: the configuration's type is its own affair.
  const type = contract.type as unknown as DataSourceType<unknown>;

  describe(`the data source ${name}`, () => {
    test('has a manifest whose examples are valid', () => expectManifest(type));

    test('marks its password as a secret', () => {
      const json = type.config['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
      const properties = (json['properties'] ?? {}) as Record<string, { secret?: boolean }>;
      for (const field of ['password', 'host', 'port'].filter((f) => f in properties)) {
        expect([field, properties[field]?.secret]).toEqual([field, true]);
      }
    });

    test.each(contract.urls ?? [])('reads $url', ({ url, expected }) => {
      expect(type.parseUrl?.(url)).toEqual(expected);
    });

    test.each(contract.badUrls ?? [])('refuses %s with MR-D111', (url) => {
      expect(() => type.parseUrl?.(url)).toThrow(expect.objectContaining({ code: 'MR-D111' }));
    });

    test('passes every step of the connectivity test in order', async () => {
      await using fixture = await contract.open();
      const steps = await stepsOf(type, fixture.config);
      const order = CONNECTIVITY_STEPS.filter((s) => steps.some((x) => x.step === s));
      expect(steps.map((s) => s.step).filter((s) => s !== 'path')).toEqual(order);
      expect(steps.filter((s) => s.status === 'failed')).toEqual([]);
      expect(steps.every((s) => s.elapsedMs >= 0 && s.detail !== '')).toBe(true);
    });

    test('fails at the right step with a code, and repeats no credential', async () => {
      await using fixture = await contract.open();
      for (const broken of fixture.broken) {
        const steps = await stepsOf(type, broken.config);
        const last = steps.at(-1);
        expect([broken.name, last?.status, last?.step, last?.code]).toEqual([
          broken.name,
          'failed',
          broken.step,
          broken.code,
        ]);
        const { password } = broken.config as { password?: string };
        if (password) expect(JSON.stringify(steps)).not.toContain(password);
      }
    });

    test('browses schemas, tables, columns and a sample', async () => {
      await using fixture = await contract.open();
      if (type.browse === undefined || fixture.table === undefined) return;
      const config = await parseConfig(type.config, fixture.config);
      const ctx = { signal: new AbortController().signal };
      const tables = await type.browse(config, { kind: 'tables', limit: 1000 }, ctx);
      expect(JSON.stringify(tables)).toContain(fixture.table);
      const table = await type.browse(config, { kind: 'table', table: fixture.table }, ctx);
      expect(JSON.stringify(table)).toContain(fixture.column ?? fixture.table);
      const request = { kind: 'sample', table: fixture.table, limit: 1 } as const;
      const sample = await type.browse(config, request, ctx);
      expect(sample.kind === 'sample' ? sample.rows.length : -1).toBeLessThanOrEqual(1);
    });

    test('tells partitions that are there from those that have gone', async () => {
      await using fixture = await contract.open();
      const config = await parseConfig(type.config, fixture.config);
      const ctx = { signal: new AbortController().signal };
      for (const { table, present, gone } of fixture.partitions ?? []) {
        const asked = [...present, ...gone];
        const found = await type.presentPartitions?.(config, table, asked, ctx);
        expect([table, found?.toSorted()]).toEqual([table, present.toSorted()]);
      }
    });

    test('says of no partition that it has gone where it cannot look', async () => {
      await using fixture = await contract.open();
      const [first] = fixture.partitions ?? [];
      if (type.presentPartitions === undefined || first === undefined) return;
      const ctx = { signal: new AbortController().signal };
      for (const broken of fixture.broken) {
        const config = await parseConfig(type.config, broken.config);
        const look = type.presentPartitions(config, first.table, first.present, ctx);
        await expect(look).rejects.toMatchObject({
          code: expect.stringMatching(/^MR-D\d{3}$/) as unknown,
        });
      }
    });
  });
}

async function stepsOf(
  type: DataSourceType<unknown>,
  raw: unknown,
): Promise<readonly ConnectivityStep[]> {
  const config = await parseConfig(type.config, raw);
  const steps: ConnectivityStep[] = [];
  const ctx = { signal: new AbortController().signal };
  for await (const step of type.testConnectivity(config, ctx)) steps.push(step);
  return steps;
}
