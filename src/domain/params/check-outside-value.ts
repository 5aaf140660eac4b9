import { MillraceError } from '../errors.js';

/** Word characters, space, dot, colon, dash: nothing that ends a literal or begins a command. */
export const DEFAULT_VALUE_PATTERN = String.raw`[\w .:-]*`;

/**
 * Lets a value from outside (webhook, HTTP output, manual run) through when all of it fits the pattern the
 * parameter declares (engine rule 23). The message never repeats the value. Throws MR-S109; MR-S106 when
 * the pattern itself is none.
 */
export function checkOutsideValue(
  name: string,
  value: string,
  pattern: string = DEFAULT_VALUE_PATTERN,
): string {
  if (!compile(name, pattern).test(value)) {
    throw new MillraceError('MR-S109', `the value of ${name} does not fit the pattern ${pattern}`);
  }
  return value;
}

function compile(name: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch (cause) {
    throw new MillraceError('MR-S106', `the pattern of ${name} is not valid: ${pattern}`, {
      cause,
    });
  }
}
