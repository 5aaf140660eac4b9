import type { StoredChunk } from '../../store/repositories/log-repository.js';
import type { Found } from './log-search.js';

/** To the thread of a search: chunks in their order, how many lines of some are left out, or the end. */
export type ToSearch =
  | { readonly kind: 'chunks'; readonly chunks: readonly StoredChunk[] }
  | { readonly kind: 'skip'; readonly lines: number }
  | { readonly kind: 'end' };

/** From the thread: one answer for each message, in their order. */
export type FromSearch =
  | { readonly kind: 'found'; readonly found: Found }
  | { readonly kind: 'failed'; readonly detail: string };
