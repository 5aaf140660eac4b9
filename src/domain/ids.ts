import { MillraceError } from './errors.js';
import { isLocalDate } from './calendar/local-date.js';

/** Rows in day partitions: their API id carries the plan day, so that a lookup hits one partition. */
export const DAY_ID_KINDS = ['inst', 'run', 'att'] as const;
export type DayIdKind = (typeof DAY_ID_KINDS)[number];

/** Rows in plain tables. */
export const PLAIN_ID_KINDS = [
  'ws', // workspace
  'wf', // workflow
  'ver', // workflow version
  'node',
  'ds', // data source
  'cal', // business calendar
  'rg', // resource group
  'wk', // worker
  'bf', // backfill
  'req', // interactive request
  'usr', // user
  'tok', // token
  'rule', // alert rule
  'alert',
  'gate',
] as const;
export type PlainIdKind = (typeof PLAIN_ID_KINDS)[number];

export interface DayId {
  /** `YYYY-MM-DD`, the partition key. */
  readonly planDay: string;
  readonly id: number;
}

/** `inst_20261121_42`. Throws RangeError on values that are no plan day or row id: a fault of the caller. */
export function encodeDayId(kind: DayIdKind, { planDay, id }: DayId): string {
  if (!isLocalDate(planDay)) throw new RangeError(`"${planDay}" is not a plan day`);
  return `${kind}_${planDay.replaceAll('-', '')}_${rowId(id)}`;
}

/** `wf_12`. Throws RangeError on a value that is no row id. */
export function encodeId(kind: PlainIdKind, id: number): string {
  return `${kind}_${rowId(id)}`;
}

/** The inverse of `encodeDayId`. Throws MR-A104 on anything that cannot be the id of such a row. */
export function decodeDayId(kind: DayIdKind, text: string): DayId {
  const match = /^([a-z]+)_(\d{4})(\d{2})(\d{2})_([1-9]\d{0,15})$/.exec(text);
  const [, prefix, year, month, day, digits] = match ?? [];
  const planDay = `${year}-${month}-${day}`;
  const id = Number(digits);
  if (prefix !== kind || !isLocalDate(planDay) || !Number.isSafeInteger(id))
    throw notAnId(text, `${kind}_20261121_42`);
  return { planDay, id };
}

/** The inverse of `encodeId`. Throws MR-A104 on anything that cannot be the id of such a row. */
export function decodeId(kind: PlainIdKind, text: string): number {
  const [, prefix, digits] = /^([a-z]+)_([1-9]\d{0,15})$/.exec(text) ?? [];
  const id = Number(digits);
  if (prefix !== kind || !Number.isSafeInteger(id)) throw notAnId(text, `${kind}_12`);
  return id;
}

function rowId(id: number): string {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`${id} is not a row id`);
  return String(id);
}

function notAnId(text: string, example: string): MillraceError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new MillraceError(
    'MR-A104',
    `"${shown}" is not an id of this kind; it looks like ${example}`,
  );
}
