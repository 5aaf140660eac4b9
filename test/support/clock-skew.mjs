/**
 * `node --import ./test/support/clock-skew.mjs x.js`: the wall clock of that process, its threads included,
 * is off by MILLRACE_TEST_CLOCK_SKEW_MS, as on a machine whose time nobody looks after. The monotonic clock
 * is as it was.
 */
const skewMs = Number(process.env['MILLRACE_TEST_CLOCK_SKEW_MS'] ?? 0);
const RealDate = globalThis.Date;
const now = () => RealDate.now() + skewMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(
      target,
      args.length === 0 ? [now()] : args,
      newTarget === globalThis.Date ? target : newTarget,
    ),
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) =>
    key === 'now'
      ? now
      : Reflect.get(target, key, receiver === globalThis.Date ? target : receiver),
});
