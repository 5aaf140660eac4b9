import { MillraceError } from '../errors.js';
import { evaluateExpression } from './evaluate-expression.js';
import type { ParameterBase } from './evaluate-expression.js';
import { parseExpression } from './parse-expression.js';

/** Parameter name to expression, in the order of declaration. */
export type Declarations = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z_]\w*$/;

/**
 * Reads `a=$bizdate b=${yyyymmdd-1}` (pairs apart by white space, none around `=`), or the same as a
 * record, where literals may hold spaces. Every expression is checked. Throws MR-S106.
 */
export function parseDeclarations(input: string | Readonly<Record<string, string>>): Declarations {
  const pairs = typeof input === 'string' ? pairsOf(input) : Object.entries(input);
  const names = new Set<string>();
  for (const [name, expression] of pairs) {
    if (!NAME.test(name)) {
      const rule = 'a parameter name has letters, digits and _, and begins with no digit';
      throw new MillraceError('MR-S106', `"${name}": ${rule}`);
    }
    if (names.has(name)) throw new MillraceError('MR-S106', `"${name}" is declared twice`);
    names.add(name);
    inDeclaration(name, () => parseExpression(expression));
  }
  return Object.fromEntries(pairs);
}

/** The values of all declarations for one instance. Throws MR-S106 naming the declaration. */
export function evaluateDeclarations(
  declarations: Declarations,
  base: ParameterBase,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(declarations).map(([name, expression]) => [
      name,
      inDeclaration(name, () => evaluateExpression(expression, base)),
    ]),
  );
}

function pairsOf(text: string): [name: string, expression: string][] {
  return text
    .split(/\s+/)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const expression = pair.slice(equals + 1);
      if (equals < 1 || expression === '' || expression.includes('=')) {
        const rule = 'write name=expression, pairs apart by a space, no space around "=" or inside';
        throw new MillraceError('MR-S106', `"${pair}": ${rule}`);
      }
      return [pair.slice(0, equals), expression];
    });
}

function inDeclaration<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    throw new MillraceError(cause.code, `parameter ${name}: ${cause.detail}`, { cause });
  }
}
