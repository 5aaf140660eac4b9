import { describe, expect, test } from '@jest/globals';
import { importJob } from './import-job.js';

const READER = '{"datasource": "a", "table": "t", "column": ["*"]}';
const STEPS = `{"stepType": "mysql", "parameter": ${READER}, "name": "Reader", "category": "reader"},
  {"stepType": "mysql", "parameter": ${READER}, "name": "Writer", "category": "writer"}`;

function second(more: string, steps = STEPS) {
  return `{"type": "job", "version": "2.0", "steps": [${steps}]${more === '' ? '' : `, ${more}`}}`;
}

function notesOf(text: string): readonly string[] {
  return importJob(text).notes.map(({ level, path, detail }) => `${level} ${path}: ${detail}`);
}

describe('the settings of a job', () => {
  const SETTING = '{"errorLimit": {"record": 3}, "speed": {"concurrent": 4}}';
  const channel = { concurrency: 4, dirtyLimit: { records: 3 } };

  test('may be called dataxSetting', () => {
    expect(importJob(second(`"dataxSetting": ${SETTING}`)).config.channel).toEqual(channel);
    const first = `{"type": "job", "version": "1.0", "configuration": {"dataxSetting": ${SETTING},
      "reader": {"plugin": "mysql", "parameter": ${READER}}, "writer": {"plugin": "mysql", "parameter": ${READER}}}}`;
    expect(importJob(first).config.channel).toEqual(channel);
  });

  test('that say where and how a job runs are unused', () => {
    const setting = `"executeMode": "distribute", "locale": "zh_CN", "jvmOption": "-Xmx1g", "dryRun": false,
      "speed": {"throttle": false, "mbps": "5", "dmu": 2}`;
    const more = `"setting": {${setting}}, "traceId": "0a", "transform": false, "extend": {"resourceGroup": "g", "mode": "wizard"}`;
    const notes = notesOf(second(more));
    expect(notes.map((note) => note.split(':')[0])).toEqual([
      'unused $.setting.executeMode',
      'unused $.setting.locale',
      'unused $.setting.jvmOption',
      'unused $.setting.dryRun',
      'unused $.setting.speed.mbps',
      'unused $.setting.speed.dmu',
      'unused $.traceId',
      'unused $.transform',
      'unused $.extend.resourceGroup',
    ]);
    expect(notes).toContain('unused $.setting.speed.mbps: without `throttle` it has no effect');
  });

  test('of a trial run, which would move no row, are lost', () => {
    expect(notesOf(second('"setting": {"dryRun": true}'))).toEqual([
      'lost $.setting.dryRun: the job would move no row',
    ]);
  });

  test('both limits of dirty records are kept, and DataX is said to look at one', () => {
    const { config, notes } = importJob(
      second('"setting": {"errorLimit": {"record": "10", "percentage": 0.02}}'),
    );
    expect(config.channel).toEqual({ dirtyLimit: { records: 10, ratio: 0.02 } });
    expect(notes).toEqual([
      expect.objectContaining({ level: 'changed', path: '$.setting.errorLimit.percentage' }),
    ]);
  });

  test.each([
    ['1.5', '0 to 1 is expected, not 1.5'],
    ['"x"', 'a number is expected, not x'],
  ])('a share of %s is refused with its path, also beside a count', (percentage, words) => {
    const limit = `{"record": 1, "percentage": ${percentage}}`;
    expect(() => importJob(second(`"setting": {"errorLimit": ${limit}}`))).toThrow(
      expect.objectContaining({
        detail: expect.stringMatching(
          new RegExp(
            String.raw`^\$\.setting\.errorLimit\.percentage \(line \d+, column \d+\): ${words}`,
          ),
        ),
      }),
    );
  });
});

describe('the steps of a job', () => {
  const step = (category: string, parameter: string): string =>
    `{"stepType": ${category === 'processor' ? 'null' : '"mask"'}, "parameter": ${parameter}, "name": "P", "category": "${category}"}`;

  test('one that is drawn somewhere is at no other place for it', () => {
    const drawn = STEPS.replace('"name": "Reader"', '"name": "Reader", "gui": {"x": 1, "y": 2}');
    expect(notesOf(second('', drawn))).toEqual([
      'unused $.steps[0].gui: without effect on the rows: {"x": 1, "y": 2}',
    ]);
  });

  test('a processor that does nothing is passed over', () => {
    const empty = step('processor', '{"nodes": [], "edges": [], "groups": [], "version": "2.0"}');
    expect(notesOf(second('', `${STEPS}, ${empty}`))).toEqual([]);
  });

  test.each([
    ['processor', '{"nodes": [{"id": "n1"}], "edges": [], "groups": []}'],
    ['map', '{"column": "name"}'],
    ['flatmap', '{}'],
  ])('one that would change rows is lost, once and with its path: %s %s', (category, parameter) => {
    const hops =
      '"order": {"hops": [{"from": "Reader", "to": "P"}, {"from": "P", "to": "Writer"}]}';
    expect(notesOf(second(hops, `${STEPS}, ${step(category, parameter)}`))).toEqual([
      `lost $.steps[2]: the step P (${category}) is not carried over`,
    ]);
  });

  test('an order from writer to reader is refused', () => {
    const hops = '"order": {"hops": [{"from": "Writer", "to": "Reader"}]}';
    expect(() => importJob(second(hops))).toThrow('$.order.hops[0]');
  });
});

describe('a job of DataX', () => {
  const job = (core: string, speed: string, content = ''): string =>
    `{"core": ${core}, "job": {"setting": {"speed": ${speed}}, "content": [
      {"reader": {"name": "mysqlreader", "parameter": ${READER}}, "writer": {"name": "mysqlwriter", "parameter": ${READER}}}${content}]}}`;

  test('opens as many channels as its limits allow, and all else of its engine is unused', () => {
    const core =
      '{"transport": {"channel": {"class": "x.MemoryChannel", "speed": {"byte": 10, "record": 5}}}, "container": {"job": {"reportInterval": 1000}}}';
    const { config, notes } = importJob(job(core, '{"byte": 40, "channel": 9}'));
    expect(config.channel).toMatchObject({ concurrency: 4, rateLimit: { bytesPerSecond: 40 } });
    expect(notes.map(({ level, path }) => `${level} ${path}`)).toEqual([
      'unused $.core.transport.channel.class',
      'unused $.core.transport.channel.speed.record',
      'unused $.core.container.job.reportInterval',
      'unused $.job.setting.speed.channel',
    ]);
  });

  test('runs its first content alone', () => {
    const notes = notesOf(job('{}', '{"channel": 1}', ', {"reader": {"name": "x"}}'));
    expect(notes).toEqual(['unused $.job.content[1]: DataX runs the first content alone']);
  });
});
