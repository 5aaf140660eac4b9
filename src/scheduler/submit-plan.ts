/**
 * From when on a submitted version is planned. `next-day`: with the first day that is not planned yet,
 * tomorrow unless its plan is made. `third-day`: not before the day after tomorrow. `immediately`: also
 * what of the days that are planned already is still to come.
 */
export const SUBMIT_PLANS = ['next-day', 'third-day', 'immediately'] as const;
export type SubmitPlan = (typeof SUBMIT_PLANS)[number];
