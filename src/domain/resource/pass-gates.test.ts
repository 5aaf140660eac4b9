import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type GateRoom, passGates } from './pass-gates.js';

const gates = (rooms: Readonly<Record<number, number>>): Map<number, GateRoom> =>
  new Map(
    Object.entries(rooms).map(([id, room]) => [Number(id), { room, counts: 'instances' as const }]),
  );

test('who is held takes nothing of the other gates, and the next goes through', () => {
  const queue = [
    { id: 1, slots: 1, isBackfill: false, gates: [7] },
    { id: 2, slots: 1, isBackfill: false, gates: [7, 8] },
    { id: 3, slots: 1, isBackfill: false, gates: [8] },
    { id: 4, slots: 1, isBackfill: false, gates: [] },
  ];
  const { through, heldBy } = passGates(queue, gates({ 7: 1, 8: 1 }));
  expect(through).toEqual([1, 3, 4]);
  expect(heldBy).toEqual(new Map([[2, 7]]));
});

test('a quota counts slots, a gate instances', () => {
  const queue = [
    { id: 1, slots: 3, isBackfill: false, gates: [7] },
    { id: 2, slots: 3, isBackfill: false, gates: [7] },
    { id: 3, slots: 1, isBackfill: false, gates: [7] },
  ];
  const quota = new Map([[7, { room: 4, counts: 'slots' as const }]]);
  expect(passGates(queue, quota).through).toEqual([1, 3]);
  expect(passGates(queue, gates({ 7: 4 })).through).toEqual([1, 2, 3]);
});

test('backfills get no more than is theirs, and leave the rest to others', () => {
  const queue = [1, 2, 3, 4, 5].map((id) => ({ id, slots: 1, isBackfill: id < 4, gates: [7] }));
  const shared = new Map([[7, { room: 3, backfillRoom: 2, counts: 'instances' as const }]]);
  const { through, heldBy } = passGates(queue, shared);
  expect(through).toEqual([1, 2, 4]);
  expect([...heldBy.keys()]).toEqual([3, 5]);
});

test('a gate that is gone holds nobody', () => {
  expect(
    passGates([{ id: 1, slots: 1, isBackfill: false, gates: [7] }], new Map()).through,
  ).toEqual([1]);
});

test('no gate lets more through than it has room for, and nobody is held that had room', () => {
  const rooms = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 3, maxLength: 3 });
  const queue = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 2 })), { maxLength: 20 });
  fc.assert(
    fc.property(rooms, queue, (room, own) => {
      const passengers = own.map((ids, id) => ({ id, slots: 1, isBackfill: false, gates: ids }));
      const { through, heldBy } = passGates(passengers, gates({ ...room }));
      expect([...through, ...heldBy.keys()].sort((a, b) => a - b)).toEqual(own.map((_, id) => id));
      const left = [...room];
      for (const { id, gates: ids } of passengers) {
        const isThrough = through.includes(id);
        expect(isThrough).toBe(ids.every((gate) => (left[gate] ?? 0) >= 1));
        if (isThrough) for (const gate of ids) left[gate] = (left[gate] ?? 0) - 1;
        else expect(ids).toContain(heldBy.get(id));
      }
    }),
  );
});
