export const MYSQL97_FOLDER: string;
export function unpackedMysql97(folder?: string): string | undefined;
export function unpackMysql97(folder?: string): Promise<string>;
