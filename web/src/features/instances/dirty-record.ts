import type { components } from '../../api/schema.gen.ts';

export type DirtyRecord = components['schemas']['DirtyRecord'];
export type StoredCell = components['schemas']['StoredCell'];

export const DIRTY_RECORDS = '/api/v1/instances/{id}/dirty-records';

/** Of a row that was too large only a part is kept. */
const TOO_LARGE = 'MR-D251';

/** Why a row cannot be mended any more, or never could; undefined: it can. */
export function obstacleOf({
  code,
  replayedAt,
  stage,
  columns,
}: Pick<DirtyRecord, 'code' | 'replayedAt' | 'stage' | 'columns'>):
  'replayed' | 'tooLarge' | 'noColumns' | undefined {
  if (replayedAt !== null) return 'replayed';
  if (code === TOO_LARGE) return 'tooLarge';
  return stage === 'source' && columns === null ? 'noColumns' : undefined;
}

/** A cell while it is edited: what it is, and its text or base64. NULL keeps what stood there before it. */
export interface CellDraft {
  readonly kind: 'text' | 'base64' | 'text64';
  readonly isNull: boolean;
  readonly value: string;
}

const NO_TEXT: CellDraft = { kind: 'text', isNull: false, value: '' };

/** The cells of a row to edit; of what was no row, an empty one for each column. */
export function draftsOf({
  cells,
  columns,
  stage,
}: Pick<DirtyRecord, 'cells' | 'columns' | 'stage'>): readonly CellDraft[] {
  if (stage === 'source') return (columns ?? []).map(() => NO_TEXT);
  return cells.map((cell) => {
    if (cell === null) return { ...NO_TEXT, isNull: true };
    if (typeof cell === 'string') return { ...NO_TEXT, value: cell };
    return 'base64' in cell
      ? { ...NO_TEXT, kind: 'base64', value: cell.base64 }
      : { ...NO_TEXT, kind: 'text64', value: cell.text64 };
  });
}

export function cellOf({ kind, isNull, value }: CellDraft): StoredCell {
  if (isNull) return null;
  if (kind === 'text') return value;
  return kind === 'base64' ? { base64: value } : { text64: value };
}

/** Whether it can be stored: what is no base64 would become other bytes without a word. */
export function isCell({ kind, isNull, value }: CellDraft): boolean {
  if (isNull || kind === 'text') return true;
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

/** Names and values of a row as text, each cut so that a long one does not hide the others. */
export function cellsText({ cells, columns }: Pick<DirtyRecord, 'cells' | 'columns'>): string {
  return cells.map((cell, at) => `${columns?.[at] ?? at + 1} = ${cellText(cell)}`).join('\n');
}

/** The cells of the key, as the row says which these are. */
export function keyText({
  cells,
  columns,
  key,
}: Pick<DirtyRecord, 'cells' | 'columns' | 'key'>): string {
  const places = (key ?? []).map((name) => columns?.indexOf(name) ?? -1);
  return places.flatMap((place) => (place in cells ? [cellText(cells[place]!)] : [])).join(' ');
}

const SHOWN_CHARACTERS = 200;

function cellText(cell: StoredCell): string {
  if (cell === null) return 'NULL';
  const text = typeof cell === 'string' ? JSON.stringify(cell) : Object.values(cell).join('');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/** Three bytes each; of a row that was too large there is a megabyte. */
const SHOWN_TRIPLES = 100;

/** Of bytes in any encoding, what all of them have in common. */
export function asciiOf(base64: string): string {
  const shown = atob(base64.slice(0, 4 * SHOWN_TRIPLES)).replaceAll(/[^\x20-\x7E]/g, '.');
  return base64.length > 4 * SHOWN_TRIPLES ? `${shown}…` : shown;
}
