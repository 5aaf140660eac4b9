import { ERRORS, type RegisteredCode } from '../../domain/error-registry.js';

const BY_CODE: Partial<Record<RegisteredCode, number>> = {
  'MR-A101': 400,
  'MR-A102': 401,
  'MR-A103': 403,
  'MR-A104': 404,
  'MR-A105': 409,
  'MR-A106': 412,
  'MR-A107': 428,
  'MR-A108': 504,
  'MR-A109': 500,
  'MR-A110': 409,
  'MR-A111': 422,
  'MR-A112': 409,
  'MR-S131': 409,
  'MR-S133': 409,
  'MR-S134': 404,
  'MR-S160': 409,
  'MR-S210': 409,
  'MR-D270': 409,
  'MR-S171': 409,
  'MR-S172': 409,
  'MR-S173': 409,
  'MR-S174': 409,
  'MR-S205': 409,
  'MR-S207': 410,
  'MR-S208': 409,
  'MR-S209': 410,
  'MR-A207': 503,
};

/** The HTTP status of a code: a fault of what was sent is 422 unless the table says better. */
export function statusOf(code: RegisteredCode): number {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  return ERRORS[code].retry === 'backoff' ? 503 : 422;
}
