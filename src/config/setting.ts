import { z } from 'zod';

import { Secret } from './secret.js';

/** One option with its own documentation; `docs/config.md` is made from these. */
export interface Setting<T extends z.ZodType = z.ZodType> {
  readonly env: `MILLRACE_${string}`;
  /** Reads text (environment) and JSON values (file). An absent value arrives as `undefined`. */
  readonly type: T;
  readonly doc: string;
  /** Also readable from the file named by `<env>_FILE`, and never printed. */
  readonly secret: boolean;
  /** As the reference shows it. */
  readonly shownDefault?: string;
}

export type SettingGroup = Readonly<Record<string, Setting>>;

export type ValuesOf<G extends SettingGroup> = {
  readonly [Name in keyof G]: z.output<G[Name]['type']>;
};

export function setting<T extends z.ZodType>(
  env: Setting['env'],
  type: T,
  doc: string,
  shownDefault?: string,
): Setting<T> {
  return {
    env,
    type,
    doc,
    secret: false,
    ...(shownDefault === undefined ? {} : { shownDefault }),
  };
}

export function secretSetting(env: Setting['env'], doc: string, minLength = 1) {
  const type = z
    .string()
    .min(minLength)
    .transform((text) => new Secret(text))
    .optional();
  return { env, type, doc, secret: true } satisfies Setting<typeof type>;
}

/** A whole number, written as digits in the environment. */
export function wholeNumber(min: number, max: number, otherwise: number) {
  return z
    .preprocess(
      (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
      z.int().min(min).max(max),
    )
    .default(otherwise);
}

/** A number, also with a decimal point; written as digits in the environment. */
export function decimalNumber(min: number, max: number, otherwise: number) {
  return z
    .preprocess(
      (value) =>
        typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value,
      z.number().min(min).max(max),
    )
    .default(otherwise);
}

/** `a, b` in the environment, an array in the file. */
export function list() {
  return z
    .preprocess(
      (value) =>
        typeof value === 'string'
          ? value
              .split(',')
              .map((item) => item.trim())
              .filter((item) => item !== '')
          : value,
      z.array(z.string().min(1)),
    )
    .default([]);
}

/** A time of day, `22:00`. */
export function timeOfDay(otherwise: string) {
  return z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write it as HH:MM, from 00:00 to 23:59')
    .default(otherwise);
}
