/**
 * A cell as JSON keeps it: text as it is, bytes as `base64`. `text64` is text that no `jsonb` takes, with a
 * NUL or half of a surrogate pair, in UTF-16 little endian.
 */
export type StoredCell = string | null | { readonly base64: string } | { readonly text64: string };
