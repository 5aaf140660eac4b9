import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays } from '../calendar/local-date.js';
import { registeredCodeOf } from '../errors.js';
import { checkOutsideValue } from './check-outside-value.js';
import { evaluateDeclarations, parseDeclarations } from './declarations.js';
import { evaluateExpression } from './evaluate-expression.js';
import type { ParameterBase } from './evaluate-expression.js';
import { parseExpression } from './parse-expression.js';
import { substitute } from './substitute.js';

const base: ParameterBase = {
  bizdate: '2026-11-20',
  scheduledLocal: { date: '2026-11-21', time: '00:15:00' },
  zone: 'Asia/Shanghai',
  workflowId: 7,
  nodeId: 42,
};

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return registeredCodeOf(error);
  }
  return undefined;
}

describe('expressions', () => {
  test('join literals and several expressions', () => {
    expect(evaluateExpression('dt=$[yyyy-mm-dd] $[hh24:mi:ss]_$bizdate_x${yyyymm}01', base)).toBe(
      'dt=2026-11-21 00:15:00_20261120_x20261101',
    );
    expect(evaluateExpression('$jobid/$nodeid', base)).toBe('7/42');
    expect(evaluateExpression('${bdp.system.bizdate}-${bdp.system.cyctime}', base)).toBe(
      '20261120-20261121001500',
    );
    expect(evaluateExpression('', base)).toBe('');
  });

  test('clamp to the last day of the month when months are shifted', () => {
    const march = { ...base, scheduledLocal: { date: '2024-03-31', time: '00:00:00' } };
    expect(evaluateExpression('$[add_months(yyyymmdd,-1)]', march)).toBe('20240229');
    expect(evaluateExpression('$[add_months(yyyymmdd,11)-1/24]', march)).toBe('20250227');
    expect(evaluateExpression('${mm+1}', { ...base, bizdate: '2026-12-31' })).toBe('01');
  });

  test.each([
    ['$[hh24-1/24]', '01'],
    ['$[hh24:mi-10/24/60]', '01:50'],
    ['$[yyyymmddhh24-1]', '2026030703'],
  ])('%s counts elapsed time across a skipped hour', (expression, expected) => {
    const spring = {
      ...base,
      scheduledLocal: { date: '2026-03-08', time: '03:00:00' },
      zone: 'America/Los_Angeles',
    };
    expect(evaluateExpression(expression, spring)).toBe(expected);
  });

  test('the second 01:00 of a doubled hour minus ten minutes is the first 01:50', () => {
    const autumn = (fold: 0 | 1): ParameterBase => ({
      ...base,
      scheduledLocal: { date: '2026-11-01', time: '01:00:00', fold },
      zone: 'America/Los_Angeles',
    });
    expect(evaluateExpression('$[hh24:mi-10/24/60]', autumn(1))).toBe('01:50');
    expect(evaluateExpression('$[hh24:mi-10/24/60]', autumn(0))).toBe('00:50');
  });

  test('$bizmonth and $gmtdate follow the day that counts as today', () => {
    expect(evaluateExpression('$bizmonth $gmtdate', base)).toBe('202610 20261121');
    expect(evaluateExpression('$bizmonth $gmtdate', { ...base, today: '2026-12-03' })).toBe(
      '202611 20261203',
    );
  });

  test.each([
    ['${yyyymmdd-1/24}', 'character 13', 'whole units'],
    ['a$[yyyymmdd', 'character 2', 'no "]"'],
    ['${hh24}', 'character 3', 'allowed are yyyy yy mm dd'],
    ['${yyyyMMdd}', 'character 7', 'lower case'],
    ['$biz', 'character 1', '$bizdate'],
    ['$bizdates', 'character 1', '$bizdate'],
    ['$[-1]', 'character 3', 'a date format is missing'],
    ['$[]', 'character 3', 'a date format is missing'],
    ['$[yyyy-mm-dd hh24]', 'character 13', 'no space'],
    ['$[yyyymmdd-1/0]', 'character 11', 'divides by zero'],
    ['$[hh24-1/7]', 'character 1', 'whole seconds'],
    ['$[add_months(yyyymmdd)]', 'character 3', 'add_months(yyyymmdd,-1)'],
    ['$[add_months(yyyymmdd,-1)x]', 'character 26', 'no offset'],
    ['$[add_months(yyyyxx,-1)]', 'character 18', '"x"'],
    ['${yyyymmdd-99999999}', 'character 3', 'too large'],
    ['$[yyyy-999999]', 'character 1', '1000 to 9999'],
    ['$[yyyy-99999999999999999999/24]', 'character 1', '1000 to 9999'],
    ['$taskid', 'character 1', 'not known here'],
  ])('%s is refused with its position and what is allowed', (expression, position, reason) => {
    const evaluate = () => evaluateExpression(expression, base);
    expect(codeOf(evaluate)).toBe('MR-S106');
    expect(evaluate).toThrow(expression);
    expect(evaluate).toThrow(position);
    expect(evaluate).toThrow(reason);
  });

  const small = fc.integer({ min: -400, max: 400 });
  const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);

  test('offsets add up: a chain of terms equals their sum', () => {
    fc.assert(
      fc.property(small, small, small, (a, b, days) => {
        const chain = `$[yyyymmddhh24miss${signed(a)}/24/60${signed(days)}${signed(b)}/24/60]`;
        const sum = `$[yyyymmddhh24miss${signed(days)}${signed(a + b)}/24/60]`;
        expect(evaluateExpression(chain, base)).toBe(evaluateExpression(sum, base));
      }),
    );
  });

  test('a business date moved by n days and back is the same day', () => {
    fc.assert(
      fc.property(small, (days) => {
        const bizdate = addDays(base.bizdate, days);
        expect(evaluateExpression(`\${yyyy-mm-dd${signed(days)}}`, base)).toBe(bizdate);
        expect(evaluateExpression(`\${yyyy-mm-dd${signed(-days)}}`, { ...base, bizdate })).toBe(
          base.bizdate,
        );
      }),
    );
  });

  test('any text is either read or refused with MR-S106', () => {
    const piece = fc.constantFrom(
      '$',
      '{',
      '}',
      '[',
      ']',
      'yyyy',
      'mm',
      'dd',
      '-',
      '1',
      '/24',
      '*',
      'add_months(',
      ',',
      ')',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect([undefined, 'MR-S106']).toContain(codeOf(() => parseExpression(pieces.join(''))));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('declarations', () => {
  test('are read from text and from a record, and evaluated in their order', () => {
    const fromText = parseDeclarations('  a=$bizdate b=${yyyymmdd-1}\n c=x ');
    expect(Object.entries(fromText)).toEqual([
      ['a', '$bizdate'],
      ['b', '${yyyymmdd-1}'],
      ['c', 'x'],
    ]);
    expect(evaluateDeclarations(fromText, base)).toEqual({ a: '20261120', b: '20261119', c: 'x' });
    expect(parseDeclarations({ title: 'two words', ds: '$bizdate' })).toEqual({
      title: 'two words',
      ds: '$bizdate',
    });
    expect(parseDeclarations('')).toEqual({});
  });

  test.each(['a = b', 'a=b=c', 'a=', '=b', '1a=b', 'a-b=c', 'a=1 a=2', 'a=${yyyy-mm-dd-1/24}'])(
    '"%s" is refused',
    (text) => {
      expect(codeOf(() => parseDeclarations(text))).toBe('MR-S106');
    },
  );

  test('a bad expression is refused by the name of its parameter', () => {
    expect(() => parseDeclarations({ ds: '$[hh25]' })).toThrow(/parameter ds: .*character 5/);
  });
});

describe('substitution', () => {
  test('takes a declared name before a date expression and leaves escapes and $[...] alone', () => {
    const values = { ds: '20261120', yyyy: 'mine' };
    expect(
      substitute("ds='${ds}' ${yyyy} ${yyyymmdd-1} ${mm} $${ds} $[yyyymmdd] $ds", values, base),
    ).toBe("ds='20261120' mine 20261119 11 ${ds} $[yyyymmdd] $ds");
  });

  test('does not read a value again', () => {
    expect(substitute('${a}', { a: '${b}$&', b: 'x' }, base)).toBe('${b}$&');
  });

  test.each(['ds2', 'constructor', '__proto__', 'yyyymmddd', 'a.b', ''])(
    'the undeclared name "%s" is refused with its line',
    (name) => {
      const run = () => substitute(`select 1,\n  \${${name}}`, {}, base);
      expect(codeOf(run)).toBe('MR-S107');
      expect(run).toThrow(`"${name}", line 2`);
    },
  );

  test('a wrong date expression is refused as such, with its line', () => {
    const run = () => substitute('\n${yyyymmdd-1/24}', {}, base);
    expect(codeOf(run)).toBe('MR-S106');
    expect(run).toThrow('line 2');
    expect(codeOf(() => substitute('${ds', { ds: '1' }, base))).toBe('MR-S106');
  });
});

describe('values from outside', () => {
  test('pass when all of them fits the declared pattern', () => {
    expect(checkOutsideValue('ds', '2026-11-20 00:15', undefined)).toBe('2026-11-20 00:15');
    expect(checkOutsideValue('city', "L'Aquila", "[A-Za-z']+")).toBe("L'Aquila");
  });

  test.each(["1' OR '1'='1", 'a;b', '$(id)', 'a\nb', 'x\n', '`id`', 'a"b', 'a/*'])(
    '%j is refused and not repeated in the message',
    (value) => {
      const run = () => checkOutsideValue('ds', value);
      expect(codeOf(run)).toBe('MR-S109');
      expect(run).not.toThrow(value);
    },
  );

  test('an alternative in a pattern cannot let a part of the value through', () => {
    expect(codeOf(() => checkOutsideValue('x', 'a; drop', 'a|b'))).toBe('MR-S109');
    expect(codeOf(() => checkOutsideValue('x', 'drop b', 'a|b'))).toBe('MR-S109');
    expect(codeOf(() => checkOutsideValue('x', 'a', '['))).toBe('MR-S106');
  });
});
