import { describe, expect, test } from '@jest/globals';

import { type Move, nextStatus } from '../../domain/instance/transitions.js';
import { CANCEL_MOVES } from './cancel-instances.sql.js';
import { CLAIM_MOVES } from './claim-ready-instances.sql.js';
import { FINISH_MOVES } from './finish-instances.sql.js';
import { MAKE_READY_MOVES } from './make-ready.sql.js';
import { MARK_STARTED_MOVES } from './mark-started.sql.js';
import { OPERATE_MOVES } from './operate-instance.sql.js';
import { REAP_MOVES } from './reap-lost-attempts.sql.js';
import { RELEASE_DUE_MOVES } from './release-due.sql.js';
import { MOVE_CHILDREN_MOVES } from './move-children.sql.js';

const ALL: Readonly<Record<string, readonly Move[]>> = {
  cancel: CANCEL_MOVES,
  claim: CLAIM_MOVES,
  finish: FINISH_MOVES,
  'make ready': MAKE_READY_MOVES,
  'mark started': MARK_STARTED_MOVES,
  operate: OPERATE_MOVES,
  reap: REAP_MOVES,
  'release due': RELEASE_DUE_MOVES,
  'move children': MOVE_CHILDREN_MOVES,
};

describe('every move a statement performs is one the transition table allows', () => {
  const moves = Object.entries(ALL).flatMap(([statement, list]) =>
    list.flatMap((move) =>
      move.from.map((from) => ({ statement, from, events: move.events, to: move.to })),
    ),
  );
  test.each(moves)('$statement: $from by $events is $to', ({ from, events, to }) => {
    let at: string | undefined = from;
    for (const event of events) {
      at = nextStatus(at as typeof from, event);
      expect(at).toBeDefined();
    }
    expect(at).toBe(to);
  });
});
