/** Names one cycle of one node. */
export function keyOf(cycle: { readonly nodeId: number; readonly scheduledAt: Date }): string {
  return `${cycle.nodeId} ${cycle.scheduledAt.getTime()}`;
}
