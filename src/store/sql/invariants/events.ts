import type { Invariant } from './invariant.js';

/**
 * Events are told in the order of their numbers, those without one after them in the order of the outbox:
 * whoever writes one holds the lock of its instance, so for one instance that is the order in which it
 * happened. Events whose partition is gone are missing at the beginning of a story and nowhere else.
 */
export const EVENTS: Invariant = {
  id: 'I7',
  name: 'events',
  says: 'The events of an instance lead from state to state without a jump to the one it is in, and their numbers have no gap.',
  violations: `
    WITH story AS (
      SELECT instance_plan_day AS plan_day, instance_id AS id, 0 AS part, seq AS no, 0::bigint AS place,
             payload ->> 'from' AS left_state, payload ->> 'status' AS entered
        FROM event WHERE type = 'instance.status'
      UNION ALL
      SELECT plan_day, instance_id, 1, id, no, payload ->> 'from', payload ->> 'status'
        FROM unnumbered_event WHERE type = 'instance.status'
    ), told AS (
      SELECT plan_day, id, left_state, entered, lag(entered) OVER up AS before,
             row_number() OVER down = 1 AS is_last
        FROM story
      WINDOW up AS (PARTITION BY plan_day, id ORDER BY part, no, place),
             down AS (PARTITION BY plan_day, id ORDER BY part DESC, no DESC, place DESC)
    )
    SELECT 'inst' AS kind, plan_day, id,
           format('an event says that it left %s after one that says it entered %s', left_state,
                  before) AS detail
      FROM told WHERE left_state <> before
    UNION ALL
    SELECT 'inst', i.plan_day, i.id,
           format('it is %s and its last event says %s', i.status, coalesce(t.entered, 'nothing'))
      FROM node_instance i
      LEFT JOIN told t ON t.plan_day = i.plan_day AND t.id = i.id AND t.is_last
     WHERE i.status <> t.entered
        OR (t.id IS NULL AND i.status NOT IN ('waiting_upstream', 'waiting_time')
            AND i.plan_day >= coalesce((SELECT min(plan_day) FROM event),
                  (SELECT CASE seq WHEN 0 THEN '-infinity' ELSE 'infinity' END::date FROM event_counter)))
    UNION ALL
    SELECT NULL, NULL, NULL,
           format('events %s to %s are %s, and the counter stands at %s', s.first, s.last, s.events, c.seq)
      FROM (SELECT min(seq) AS first, max(seq) AS last, count(*) AS events FROM event) s, event_counter c
     WHERE s.last <> c.seq OR s.events <> s.last - s.first + 1`,
};
