import { expect, test } from '@jest/globals';
import { parseBizdate, minusDays } from '../calendar/bizdate.js';
import { evaluateExpression } from './evaluate-expression.js';

type Row = readonly [no: number, scheduled: string, expression: string, expected: string | 'error'];

const BASE_A = '2025-11-01 02:30:45';
const rows: readonly Row[] = [
  [1, BASE_A, '$bizdate', '20251031'],
  [2, BASE_A, '${yyyymmdd}', '20251031'],
  [3, BASE_A, '$cyctime', '20251101023045'],
  [4, BASE_A, '$[yyyymmddhh24miss]', '20251101023045'],
  [5, BASE_A, '$gmtdate', '20251101'],
  [6, BASE_A, '$bizmonth', '202510'],
  [7, BASE_A, '${yyyy}', '2025'],
  [8, BASE_A, '${yy}', '25'],
  [9, BASE_A, '${mm}', '10'],
  [10, BASE_A, '${dd}', '31'],
  [11, BASE_A, '${yyyymm}', '202510'],
  [12, BASE_A, '${yyyy-mm-dd}', '2025-10-31'],
  [13, BASE_A, '${yyyymmdd-1}', '20251030'],
  [14, BASE_A, '${yyyymmdd+1}', '20251101'],
  [15, BASE_A, '${yyyymmdd-7*1}', '20251024'],
  [16, BASE_A, '${yyyymm-1}', '202509'],
  [17, BASE_A, '${yyyy-1}', '2024'],
  [18, BASE_A, '${yyyymm}01', '20251001'],
  [19, BASE_A, '${yyyy-mm-dd-1/24}', 'error'],
  [20, BASE_A, '$[yyyy]', '2025'],
  [21, BASE_A, '$[mm]', '11'],
  [22, BASE_A, '$[dd]', '01'],
  [23, BASE_A, '$[hh24]', '02'],
  [24, BASE_A, '$[hh]', '02'],
  [25, BASE_A, '$[mi]', '30'],
  [26, BASE_A, '$[ss]', '45'],
  [27, BASE_A, '$[yyyymm]', '202511'],
  [28, BASE_A, '$[yyyymmdd]', '20251101'],
  [29, BASE_A, '$[yyyy-mm-dd]', '2025-11-01'],
  [30, BASE_A, '$[hh24:mi:ss]', '02:30:45'],
  [31, BASE_A, '$[yyyymmdd-1]', '20251031'],
  [32, BASE_A, '$[yyyymmdd+7*2]', '20251115'],
  [33, BASE_A, '$[yyyymmddhh24miss-1/24]', '20251101013045'],
  [34, BASE_A, '$[hh24-1/24]', '01'],
  [35, BASE_A, '$[hh24-3/24]', '23'],
  [36, BASE_A, '$[yyyymmdd-3/24]', '20251031'],
  [37, BASE_A, '$[yyyymmdd-1-3/24]', '20251030'],
  [38, BASE_A, '$[hh24miss-15/24/60]', '021545'],
  [39, BASE_A, '$[mi-31/24/60]', '59'],
  [40, BASE_A, '$[add_months(yyyymmdd,-1)]', '20251001'],
  [41, BASE_A, '$[add_months(yyyymmdd,12*1)]', '20261101'],
  [42, BASE_A, '$[add_months(yyyymmdd,-12*1)]', '20241101'],
  [43, BASE_A, '$[add_months(yyyymm,-1)]', '202510'],
  [44, BASE_A, '$[add_months(yyyymmdd,-1)-1]', '20250930'],
  [45, '2025-03-31 00:05:00', '$[add_months(yyyymmdd,-1)]', '20250228'],
  [46, '2025-04-01 00:05:00', '${yyyymm-1}', '202502'],
  [47, '2024-02-29 01:00:00', '$[add_months(yyyymmdd,-12)]', '20230228'],
  [48, '2024-03-01 00:00:00', '$bizdate', '20240229'],
  [49, '2025-01-01 00:00:00', '$[yyyymmdd]$[hh24-1/24]', '2025010123'],
  [50, '2025-01-01 00:00:00', '$[yyyymmdd-1/24]$[hh24-1/24]', '2024123123'],
  [51, '2025-07-20 10:30:00', '${yyyy-mm-dd-364}', '2024-07-20'],
  [52, '2025-07-20 10:30:00', '$[hh24:mi:ss-1/24/60]', '10:29:00'],
  [53, '2025-07-20 00:30:00', '$[hh]', '12'],
  [54, '2025-11-02 00:00:00', '$bizmonth', '202510'],
  [55, '2025-03-16 00:00:00', '$[yyyymmddhh24miss]', '20250316000000'],
];

test.each(rows)(
  'golden row %i: at %s the expression %s gives %s',
  (_, scheduled, text, expected) => {
    const [date = '', time = ''] = scheduled.split(' ');
    const bizdate = minusDays(parseBizdate(date), 1);
    const evaluate = () =>
      evaluateExpression(text, { bizdate, scheduledLocal: { date, time }, zone: 'Asia/Shanghai' });
    if (expected === 'error') expect(evaluate).toThrow('MR-S106');
    else expect(evaluate()).toBe(expected);
  },
);

test('the table has all 55 golden rows', () => {
  expect(rows.map(([no]) => no)).toEqual(Array.from({ length: 55 }, (_, i) => i + 1));
});
