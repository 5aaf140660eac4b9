/** What stands before its gates. */
export interface Passenger {
  readonly id: number;
  readonly slots: number;
  readonly isBackfill: boolean;
  readonly gates: readonly number[];
}

export interface GateRoom {
  /** How much it lets through now, in its measure. */
  readonly room: number;
  /** How much of that backfills may have; all of it without it. */
  readonly backfillRoom?: number;
  readonly counts: 'instances' | 'slots';
}

export interface Passed {
  /** Ids of those that go through all their gates. */
  readonly through: readonly number[];
  /** The first gate that has no room for it, by the id of each of the others. */
  readonly heldBy: ReadonlyMap<number, number>;
}

/**
 * Lets through, in the given order, whoever has room at all its gates. Who has not takes nothing from any of
 * them, so it holds up nobody behind it.
 */
export function passGates(
  queue: readonly Passenger[],
  gates: ReadonlyMap<number, GateRoom>,
): Passed {
  const room = new Map([...gates].map(([id, gate]) => [id, gate.room]));
  const backfillRoom = new Map(
    [...gates].map(([id, gate]) => [id, gate.backfillRoom ?? gate.room]),
  );
  const through: number[] = [];
  const heldBy = new Map<number, number>();
  for (const { id, slots, isBackfill, gates: own } of queue) {
    const needs = own.flatMap((gate) => {
      const counts = gates.get(gate)?.counts;
      return counts === undefined ? [] : [{ gate, takes: counts === 'slots' ? slots : 1 }];
    });
    const full = needs.find(
      ({ gate, takes }) =>
        (room.get(gate) ?? 0) < takes || (isBackfill && (backfillRoom.get(gate) ?? 0) < takes),
    );
    if (full !== undefined) {
      heldBy.set(id, full.gate);
      continue;
    }
    for (const { gate, takes } of needs) {
      room.set(gate, (room.get(gate) ?? 0) - takes);
      if (isBackfill) backfillRoom.set(gate, (backfillRoom.get(gate) ?? 0) - takes);
    }
    through.push(id);
  }
  return { through, heldBy };
}
