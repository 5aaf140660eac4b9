import { readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import {
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  parse,
  wcagContrast,
} from 'culori';

const CSS = readFileSync(new URL('palette.css', import.meta.url), 'utf8');
/**
 * As the eyes of some people see colours (Machado, Oliveira and Fernandes 2009, full severity), and how far
 * two must be apart. Of tritan vision that model is an approximation only, its authors say.
 */
const VISIONS = {
  normal: { seen: (hex: string) => hex, least: 12 },
  protan: { seen: filterDeficiencyProt(1), least: 12 },
  deutan: { seen: filterDeficiencyDeuter(1), least: 12 },
  tritan: { seen: filterDeficiencyTrit(1), least: 10 },
};
/** Those that share a colour are told apart by their outline or pattern. */
const FILLS = ['time', 'resource', 'running', 'succeeded', 'failed', 'upstreamFailed', 'frozen'];

/** The variables of the block that `selector` begins, by their name without `--mr-`. */
function coloursOf(selector: string): ReadonlyMap<string, string> {
  const block = CSS.split(`${selector} {`)[1]?.split('}')[0] ?? '';
  return new Map(
    [...block.matchAll(/--mr-([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [
      name,
      hex,
    ]),
  );
}

function colour(colours: ReadonlyMap<string, string>, name: string): string {
  const found = colours.get(name);
  if (found === undefined || parse(found) === undefined) throw new Error(`no colour --mr-${name}`);
  return found;
}

describe.each([
  ['light', ':root'],
  ['dark', ":root[data-mantine-color-scheme='dark']"],
])('the %s palette', (_scheme, selector) => {
  const colours = coloursOf(selector);
  const difference = differenceCiede2000();

  test.each(Object.entries(VISIONS))(
    'keeps states apart in %s vision',
    (_name, { seen, least }) => {
      const tooNear = FILLS.flatMap((one, at) =>
        FILLS.slice(at + 1).flatMap((other) => {
          const [a, b] = [one, other].map((name) => seen(colour(colours, `state-${name}`)));
          const apart = a === undefined || b === undefined ? 0 : difference(a, b);
          return apart >= least ? [] : [`${one} and ${other}: ${apart.toFixed(1)}`];
        }),
      );
      expect(tooNear).toEqual([]);
    },
  );

  test('has 3:1 for what is drawn on its ground and 4.5:1 for what is read', () => {
    const ground = colour(colours, 'ground');
    const contrast = (name: string): number => wcagContrast(colour(colours, name), ground);
    expect(FILLS.filter((name) => contrast(`state-${name}`) < 3)).toEqual([]);
    expect(['text', 'text-dim'].filter((name) => contrast(name) < 4.5)).toEqual([]);
  });
});
