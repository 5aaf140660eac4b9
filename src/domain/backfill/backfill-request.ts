import type { BackfillScope } from '../graph/subset-for-backfill.js';

export const BACKFILL_ORDERS = ['asc', 'desc'] as const;
export type BackfillOrder = (typeof BACKFILL_ORDERS)[number];

/** `missing`: what is not known to have been produced; `failed`: cycles whose last instance failed. */
export const BACKFILL_ONLY = ['all', 'missing', 'failed'] as const;
export type BackfillOnly = (typeof BACKFILL_ONLY)[number];

/**
 * Why a cycle is missing: nobody is known to have written its output, or the output has gone from its data
 * source. `unchecked`: there is a record, and nobody could look whether it still holds.
 */
export const MISSING_REASONS = ['no_record', 'gone_at_source', 'unchecked'] as const;
export type MissingReason = (typeof MISSING_REASONS)[number];

/** `HH:MM` of the workflow's zone. */
export interface ClockTimes {
  readonly from: string;
  readonly to: string;
}

/** What a backfill is asked for; what is absent has the default that is named. */
export interface BackfillRequest {
  /** Up to seven, each with both ends; with `dates`, all of them. */
  readonly ranges?: readonly { readonly from: string; readonly to: string }[] | undefined;
  readonly dates?: readonly string[] | undefined;
  /** Which business date is opened first. A node that depends on its previous cycle forces `asc`. */
  readonly order: BackfillOrder;
  /** How many business dates are open at once, 1 to 50; 1. */
  readonly parallelism?: number | undefined;
  /** The whole workflow. */
  readonly scope?: BackfillScope | undefined;
  readonly only?: BackfillOnly | undefined;
  /** With `missing`: what is recorded is also looked for at its data source, and missing where it has gone. */
  readonly checkSource?: boolean | undefined;
  /** Of nodes with several cycles a day, those within, both ends included; all. */
  readonly hours?: ClockTimes | undefined;
  /** Instances are handed to workers only within, `to` excluded, also over midnight; always. */
  readonly window?: ClockTimes | undefined;
  /** Does not wait for scheduled times that are still to come. */
  readonly runFutureNow?: boolean | undefined;
  /** Name of the resource group instead of the nodes' own. */
  readonly resourceGroup?: string | undefined;
  /** 1 to 11 instead of the nodes' own. */
  readonly priority?: number | undefined;
  /** Values that replace declared ones. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}
