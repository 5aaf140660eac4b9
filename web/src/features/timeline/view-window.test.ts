import { describe, expect, test } from '@jest/globals';

import { centreNow, clamp, fit, pan, timeAt, xOf, zoomAt } from './view-window.ts';

const VIEW = { from: 1_000_000, to: 1_100_000 };

describe('the window of the canvas', () => {
  test('keeps what is under the cursor there while it zooms', () => {
    const at = timeAt(VIEW, 1_000, 300);
    const zoomed = zoomAt(VIEW, at, 0.25);
    expect(zoomed.to - zoomed.from).toBe(25_000);
    expect(xOf(zoomed, 1_000, at)).toBeCloseTo(300);
  });

  test('does not zoom in beyond 100 ms or out beyond some years', () => {
    const close = zoomAt(VIEW, 1_050_000, 1e-9);
    expect(close.to - close.from).toBeCloseTo(100);
    const far = zoomAt(VIEW, 1_050_000, 1e9);
    expect(far.to - far.from).toBeLessThan(4 * 366 * 86_400_000);
  });

  test('never loses the data out of sight', () => {
    const away = clamp(pan(VIEW, 10_000_000), VIEW);
    expect(away.from).toBeLessThan(VIEW.to);
    expect(clamp(pan(VIEW, -10_000_000), VIEW).to).toBeGreaterThan(VIEW.from);
    expect(clamp(VIEW, VIEW)).toEqual(VIEW);
  });

  test('fits a single instant too', () => {
    const { from, to } = fit({ from: 5_000, to: 5_000 });
    expect(to - from).toBeGreaterThan(1_000);
    expect(from).toBeLessThan(5_000);
  });

  test('shows the present at three quarters', () => {
    expect(xOf(centreNow(VIEW, 7_000_000), 1_000, 7_000_000)).toBeCloseTo(750);
  });
});
