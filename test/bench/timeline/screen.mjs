import { chromium } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic'];

/** A signed-in browser window of 1600 x 900 on Debian's Chromium. */
export async function openScreen(link, base) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
  const context = await browser.newContext({
    viewport: { width: 1600, height: 900 },
    locale: 'en',
  });
  const page = await context.newPage();
  const { pathname, search } = new URL(link);
  await page.goto(`${base}${pathname}${search}`);
  await page.waitForURL('**/home');
  return {
    page,
    async timeline(query) {
      await page.goto(`${base}/w/sample/ops/timeline?${query}`);
      await page.waitForFunction(() => (window.__millraceTimeline?.marks.firstPaintAt ?? 0) > 0);
    },
    close: async () => await browser.close(),
  };
}

/**
 * Notes the ms between frames, and for each change that was drawn the ms from the engine's clock to the
 * frame. Starts at once; `stop()` answers what was noted. Page and engine have one clock: one machine.
 */
export async function watchFrames(page) {
  await page.evaluate(() => {
    const watch = { frames: [], delays: [], isOn: true };
    window.__watch = watch;
    let before = 0;
    let seen = 0;
    const frame = (at) => {
      if (!watch.isOn) return;
      if (before > 0) watch.frames.push(at - before);
      before = at;
      const event = window.__millraceTimeline?.lastEvent;
      if (event && event.paintedAt > 0 && event.seq !== seen) {
        seen = event.seq;
        watch.delays.push({ on: event.paintedAt, ms: event.paintedAt - event.at });
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return {
    stop: async () =>
      await page.evaluate(() => {
        window.__watch.isOn = false;
        const { frames, delays } = window.__watch;
        return { frames, delays };
      }),
  };
}

/** What the legend of the page shows: a count for each visible state. */
export async function countsOnScreen(page) {
  return await page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('[data-state][data-count]')].map((chip) => [
        chip.getAttribute('data-state'),
        Number(chip.getAttribute('data-count')),
      ]),
    ),
  );
}

/** Drags the plot to and fro for `seconds` and answers the ms between its frames. */
export async function panFrames(page, seconds) {
  const plot = page.getByTestId('timeline-plot');
  const box = await plot.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  for (let at = 0; at < 4; at++) await page.mouse.wheel(0, -240);
  await page.keyboard.up('Control');
  const watch = await watchFrames(page);
  await page.mouse.down();
  const start = performance.now();
  for (let step = 0; performance.now() - start < seconds * 1000; step++)
    await page.mouse.move(x + 300 * Math.sin(step / 12), y);
  await page.mouse.up();
  return (await watch.stop()).frames;
}
