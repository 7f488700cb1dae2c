// How long the Studio's first page takes in a new browser profile, and how much it loads.
// node benchmarks/studio-pages.ts [--repeats N]
import { parseArgs } from 'node:util';
import { quantile } from '../packages/statistics/src/index.ts';
import { addExample } from '../packages/studio/src/importing/example-project.ts';
import { openTestStudio } from '../packages/studio/src/testing/test-studio.ts';

const { values } = parseArgs({ options: { repeats: { type: 'string', default: '15' } } });
const repeats = Number(values.repeats);

await using opened = await openTestStudio();
await addExample(opened.studio.store);
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
