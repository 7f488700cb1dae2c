// How the Studio's pages behave in Chromium: how long the first one takes, how much of them moves
// while it is read, and how smoothly 1,500 samples scroll.
//   node benchmarks/studio-pages.ts [load|shift|scroll …] [--repeats N]
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { quantile } from '../packages/statistics/src/index.ts';
import {
  type FullStudio,
  openFullStudio,
  type ShownPage,
} from '../packages/studio/src/testing/every-page.ts';

/** A page of the browser. */
type Page = Parameters<ShownPage['ready']>[0];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { repeats: { type: 'string', default: '15' } },
});
const repeats = Number(values.repeats);
const wanted = positionals.length === 0 ? ['load', 'shift', 'scroll'] : positionals;

/** From the link that signs in to the list of projects, in a new profile each time. */
async function measureLoad({ opened }: FullStudio): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round <= repeats; round++) {
    const page = await (await opened.profile()).newPage();
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => {
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    const since = performance.now();
    await page.goto(`${opened.studio.link}&to=/projects`);
    await page.getByText('Example: helpful answers').first().waitFor();
    // The first round also starts the browser's processes.
    if (round > 0) times.push(performance.now() - since);
    await page.waitForLoadState('networkidle');
    bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    await page.context().close();
  }
  const sorted = new Float64Array(times).sort();
  const shown = [0, 0.5, 1].map((at) => `${Math.round(quantile(sorted, at))} ms`);
  console.log(`from the link to the projects, fastest, median, slowest: ${shown.join(', ')}`);
  console.log(`loaded: ${Math.round(bytes / 1000)} kB, compressed`);
}

/** Sums what moves: without what follows an input within half a second, and all of it. */
const OBSERVER = `
  globalThis.shifts = { own: 0, all: 0, moved: [] };
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      shifts.all += value;
      if (!hadRecentInput) shifts.own += value;
      for (const { node, previousRect: a, currentRect: b } of sources)
        shifts.moved.push(value.toFixed(4) + ' ' + (node?.nodeName ?? '?') + ' "' +
          (node?.textContent ?? '').trim().slice(0, 30) + '" y ' + a.y + ' to ' + b.y +
          ', x ' + a.x + ' to ' + b.x + ', height ' + a.height + ' to ' + b.height);
    }
  }).observe({ type: 'layout-shift', buffered: true });`;

interface Shifts {
  own: number;
  all: number;
  moved: string[];
}

const shiftsOf = (page: Page) => page.evaluate<Shifts>('shifts');

/** Until nothing is loaded or drawn any more. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle').catch(() => {});
  await page.evaluate('new Promise((go) => setTimeout(() => requestAnimationFrame(go), 300))');
}

async function measureShift({ opened, pages, projects }: FullStudio): Promise<void> {
  console.log('moved, as Cumulative Layout Shift: without what follows an input; with it');
  const line = (name: string, { own, all, moved }: Shifts) => {
    console.log(`${name.padEnd(36)} ${own.toFixed(4)} ${all.toFixed(4)}`);
    if (own >= 0.005) for (const one of moved.slice(0, 6)) console.log(`    ${one}`);
  };
  for (const [size, viewport] of [
    ['desktop', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    // With the animations that people have.
    const options = { viewport, reducedMotion: 'no-preference' as const };
    const signedIn = await opened.open('/projects', options);
    const profile = signedIn.context();
    await profile.addInitScript(OBSERVER);
    for (const { name, path, ready } of pages) {
      const page = await profile.newPage();
      await page.goto(opened.studio.url + path);
      await ready(page);
      // Pages of runs have a stream that never ends.
      await settled(page);
      line(`${size}: ${name}`, await shiftsOf(page));
      await page.close();
    }
    for (const [name, id, keys] of [
      ['verdicts on pairs', projects.texts, ['1', 'Enter']],
      ['verdicts on rankings', projects.rankings, ['2', '1', '3', 'Enter']],
    ] as const) {
      const page = await profile.newPage();
      await page.goto(`${opened.studio.url}/projects/${id}/annotate`);
      const { left } = await opened.studio.store.progress(id, 'Owner');
      await page.getByRole('article', { name: 'Answer A' }).waitFor();
      await settled(page);
      const before = await shiftsOf(page);
      // Half of them, so that the phone has some too.
      for (let at = 0; at < Math.ceil(left / 2); at++) {
        for (const key of keys.slice(0, -1)) await page.keyboard.press(key);
        const received = page.waitForResponse('**/next');
        await page.keyboard.press(keys.at(-1)!);
        await received;
        await settled(page);
      }
      const after = await shiftsOf(page);
      line(`${size}: ${name}`, {
        own: after.own - before.own,
        all: after.all - before.all,
        moved: after.moved.slice(before.moved.length),
      });
      await page.close();
    }
    const page = await profile.newPage();
    await page.goto(`${opened.studio.url}/projects/${projects.texts}/battle`);
    await page.getByLabel('Your prompt').fill('Say something');
    const start = await shiftsOf(page);
    await page.keyboard.press('Enter');
    await page.getByText('Both answers are complete').waitFor({ state: 'attached' });
    await page.keyboard.press('1');
    await page.getByText('The next prompt starts a new battle').waitFor();
    await settled(page);
    const end = await shiftsOf(page);
    line(`${size}: a battle`, {
      own: end.own - start.own,
      all: end.all - start.all,
      moved: end.moved.slice(start.moved.length),
    });
    await profile.close();
  }
}

/** The list of samples in the page. */
const LIST = `document.querySelector('[role=grid]')`;

/** Frames while the samples of a run scroll from the first to the last. */
async function measureScroll({ opened }: FullStudio): Promise<void> {
  const page = await opened.open('/runs/view/grpo?tab=samples');
  const grid = page.getByRole('grid', { name: 'Samples' });
  await grid.getByText('Answer 0 says the beginning.').waitFor();
  await settled(page);
  const box = (await grid.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let round = 0; round < 3; round++) {
    await page.evaluate(`${LIST}.scrollTo(0, 0)`);
    await settled(page);
    await page.evaluate(`
      globalThis.frames = [];
      let last = performance.now();
      const count = (now) => {
        frames.push(now - last);
        last = now;
        id = requestAnimationFrame(count);
      };
      let id = requestAnimationFrame(count);
      globalThis.stopCounting = () => cancelAnimationFrame(id);`);
    const seen = () => page.evaluate<number>(`${LIST}.scrollTop + ${LIST}.clientHeight`);
    const height = await page.evaluate<number>(`${LIST}.scrollHeight`);
    for (let steps = 0; steps < 2000 && (await seen()) < height - 2; steps++)
      await page.mouse.wheel(0, 240);
    const frames = await page.evaluate<number[]>('stopCounting(); frames');
    const sorted = new Float64Array(frames.slice(1)).sort();
    const [median, most] = [0.5, 1].map((at) => quantile(sorted, at).toFixed(1));
    const long = sorted.filter((one) => one > 50).length;
    console.log(
      `scrolling 1,500 samples: ${sorted.length} frames, median ${median} ms, longest ${most} ms, ${long} above 50 ms`,
    );
  }
}

await using full = await openFullStudio();
for (const one of wanted) {
  if (one === 'load') await measureLoad(full);
  else if (one === 'shift') await measureShift(full);
  else if (one === 'scroll') await measureScroll(full);
  else throw new Error(`there is no measurement ${one}: choose load, shift or scroll`);
}
console.log(
  `load at the end: ${loadavg()
    .map((one) => one.toFixed(1))
    .join(', ')}`,
);
