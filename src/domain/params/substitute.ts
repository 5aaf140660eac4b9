import { MillraceError } from '../errors.js';
import { evaluateExpression } from './evaluate-expression.js';
import type { ParameterBase } from './evaluate-expression.js';

const REFERENCE = /\$\$\{|\$\{([^}\n]*)(\}?)/g;
const DATE_LIKE = /^(?:yyyy|yy|mm|dd)/;
const IDENTIFIER = /^\w+$/;

/**
 * Puts values into code: `${name}` is the declared value of that name, else a business date expression
 * (`${yyyymmdd-1}`), else MR-S107 naming it and its line. `$${x}` leaves `${x}`; `$[...]` belongs in
 * declarations and stays as it is here. Values are pasted as they are and not read again, so values from
 * outside must have passed `checkOutsideValue`. Not for shell code: a shell node gets its values as
 * arguments and environment.
 */
export function substitute(
  code: string,
  values: Readonly<Record<string, string>>,
  base: ParameterBase,
): string {
  return code.replaceAll(
    REFERENCE,
    (reference: string, name: string, close: string, at: number) => {
      if (reference === '$${') return '${';
      const where = (): string => `line ${code.slice(0, at).split('\n').length}`;
      if (close === '') {
        const hint = 'write $${ for the characters themselves';
        throw new MillraceError('MR-S106', `"${reference}", ${where()}: it has no "}"; ${hint}`);
      }
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value !== undefined) return value;
      return dateOrRefuse(reference, name, where, base);
    },
  );
}

function dateOrRefuse(
  reference: string,
  name: string,
  where: () => string,
  base: ParameterBase,
): string {
  try {
    return evaluateExpression(reference, base);
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    if (DATE_LIKE.test(name) && !IDENTIFIER.test(name)) {
      throw new MillraceError(cause.code, `${cause.detail} (${where()})`, { cause });
    }
    const hint = 'write $${...} if it is no parameter';
    throw new MillraceError('MR-S107', `"${name}", ${where()}; ${hint}`, { cause });
  }
}
