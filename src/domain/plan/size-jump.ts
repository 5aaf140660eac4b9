export const SIZE_JUMPS = ['grown', 'shrunk'] as const;
export type SizeJump = (typeof SIZE_JUMPS)[number];

export const DEFAULT_JUMP_FACTOR = 1.5;

/** A small workspace doubles with one more workflow: so few more or fewer are nothing to warn of. */
const MIN_DIFFERENCE = 10;

/** Whether a plan has many times the usual instances, or only a part of them. */
export function sizeJump(instances: number, usual: number, factor: number): SizeJump | undefined {
  if (Math.abs(instances - usual) < MIN_DIFFERENCE) return undefined;
  if (instances > usual * factor) return 'grown';
  return instances * factor < usual ? 'shrunk' : undefined;
}
