import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import { conversionError } from './conversion-error.js';

const STEP =
  /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]/uy;

/** `$.a.b[0]['c d']` as keys and places; `undefined` for anything else. */
function stepsOf(path: string): readonly (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (match === null) return undefined;
    const [, name, single, double, index] = match;
    const key = name ?? (single ?? double)?.replaceAll(/\\(.)/g, '$1');
    steps.push(key ?? Number(index));
  }
  return steps;
}

function childOf(node: Node, step: string | number): Node | undefined {
  if (typeof step === 'number') return node.type === 'array' ? node.children?.[step] : undefined;
  if (node.type !== 'object') return undefined;
  return node.children?.findLast((each) => each.children?.[0]?.value === step)?.children?.[1];
}

/**
 * Finds the value at a path of a JSON text: the text of a string, of anything else what stands there, with
 * its digits. NULL when nothing is there. A text says what is wrong with the path.
 */
export function jsonPathOf(path: string): ((text: string) => string | null) | string {
  const steps = stepsOf(path);
  if (steps === undefined) return `"${path}" is not a path like $.a.b[0]`;
  return (text) => {
    const errors: ParseError[] = [];
    let node = parseTree(text, errors, { disallowComments: true });
    if (errors.length > 0 || node === undefined) throw conversionError('the text is not JSON');
    for (const step of steps) {
      node = childOf(node, step);
      if (node === undefined) return null;
    }
    if (node.type === 'null') return null;
    if (node.type === 'string') return String(node.value);
    return text.slice(node.offset, node.offset + node.length);
  };
}
