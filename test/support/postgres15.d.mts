export const POSTGRES15: string;
