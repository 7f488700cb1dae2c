// Pictures of the Studio's pages, for docs/studio:
//   node scripts/studio-screenshots.ts [--runs FOLDER --run ID]
// Without a folder of runs, the pictures of runs stay as they are.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { addExample, EXAMPLE_PROJECT } from '../packages/studio/src/importing/example-project.ts';
import { openModelServer } from '../packages/studio/src/testing/model-server.ts';
import { openTestStudio } from '../packages/studio/src/testing/test-studio.ts';

const folder = fileURLToPath(new URL('../docs/studio/', import.meta.url));
const { values } = parseArgs({ options: { runs: { type: 'string' }, run: { type: 'string' } } });
const size = { width: 1280, height: 800 };

mkdirSync(folder, { recursive: true });
await using models = await openModelServer({
  'small-model': () =>
    'Rain taps on the roof,\nthe garden drinks in silence.\nMorning smells of earth.',
  'smaller-model': () => 'It rains. I like rain. Rain is wet.',
});
await using opened = await openTestStudio({
  ...{ models: [models.url], owner: 'You' },
  ...(values.runs !== undefined && { runs: values.runs }),
});
const { store } = opened.studio;
await addExample(store);
const project = await store.project(EXAMPLE_PROJECT);
await store.saveSettings(project, { strengths: ['slightly better', 'better', 'much better'] });
for (const [prompt, left, right] of [
  ['Write a haiku about rain.', 'small-model', 'smaller-model'],
  ['Why is the sky blue?', 'smaller-model', 'small-model'],
] as const) {
  const battle = await store.startBattle(project, 'You', [left, right]);
  const turn = { prompt, left: 'One answer.', right: 'Another answer.' };
  await store.addTurn(battle.id, 'You', turn);
  await store.voteBattle(battle.id, 'You', { vote: 'left' });
}

interface Picture {
  name: string;
  path: string;
  /** Text that is there when the page is complete. */
  ready: string;
  dark?: boolean;
  phone?: boolean;
}

const pictures: readonly Picture[] = [
  { name: 'projects', path: '/projects', ready: 'Example' },
  { name: 'annotate', path: `/projects/${project}/annotate`, ready: 'left for you' },
  {
    name: 'annotate-dark',
    path: `/projects/${project}/annotate`,
    ready: 'left for you',
    dark: true,
  },
  {
    name: 'annotate-phone',
    path: `/projects/${project}/annotate`,
    ready: 'left for you',
    phone: true,
  },
  { name: 'tasks', path: `/projects/${project}`, ready: '15 tasks' },
  { name: 'disagreements', path: `/projects/${project}/disagreements`, ready: '3 tasks' },
  { name: 'agreement', path: `/projects/${project}/agreement`, ready: 'Confusion' },
  { name: 'arena', path: `/projects/${project}/arena`, ready: 'Last battles' },
  { name: 'battle', path: `/projects/${project}/battle`, ready: 'Your prompt' },
  { name: 'train', path: `/projects/${project}/train`, ready: 'The first round' },
  { name: 'settings', path: `/projects/${project}/settings`, ready: 'Who gets what' },
  { name: 'people', path: '/people', ready: 'Verdicts' },
  ...(values.runs === undefined ? [] : [{ name: 'runs', path: '/runs', ready: 'Compare' }]),
  ...(values.run === undefined
    ? []
    : [{ name: 'run', path: `/runs/view/${values.run}`, ready: 'Charts' }]),
];

for (const { name, path, ready, dark, phone } of pictures) {
  const page = await opened.open(path, {
    viewport: phone ? { width: 390, height: 844 } : size,
    colorScheme: dark ? 'dark' : 'light',
  });
  await page.getByText(ready).first().waitFor();
  await page.evaluate('document.fonts.ready');
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  await page.context().close();
  console.log(`docs/studio/${name}.png`);
}
if (opened.problems.length > 0) {
  console.error(opened.problems.join('\n'));
  process.exitCode = 1;
}
