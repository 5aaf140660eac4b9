import type { Cell } from '@millrace/sdk';

import type { StoredCell } from '../domain/stored-cell.js';

export function storedCell(cell: Cell): StoredCell {
  if (cell instanceof Uint8Array) return { base64: Buffer.from(cell).toString('base64') };
  if (cell === null || (!cell.includes('\0') && !/\p{Surrogate}/u.test(cell))) return cell;
  return { text64: Buffer.from(cell, 'utf16le').toString('base64') };
}

export function cellOfStored(stored: StoredCell): Cell {
  if (stored === null || typeof stored === 'string') return stored;
  if ('base64' in stored) return Buffer.from(stored.base64, 'base64');
  return Buffer.from(stored.text64, 'base64').toString('utf16le');
}
