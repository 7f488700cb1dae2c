// A Studio with something on every page, and texts of every kind: for tests and measurements that
// look at all pages.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { addExample, EXAMPLE_PROJECT } from '../importing/example-project.ts';
import type { TaskInput } from '../store/items.ts';
import { writeRuns } from '../watching/testing/watched-runs.ts';
import { openModelServer } from './model-server.ts';
import { openTestStudio, type TestStudio } from './test-studio.ts';

export interface ShownPage {
  name: string;
  path: string;
  /** Once the page shows what it is for. */
  ready(page: Page): Promise<void>;
}

export interface FullStudio extends AsyncDisposable {
  opened: TestStudio;
  pages: readonly ShownPage[];
  /** Ids of the projects. */
  projects: { example: string; texts: string; rankings: string; empty: string };
}

const words = (count: number): string =>
  Array.from({ length: count }, (_, at) => `word${at % 97}`).join(' ');

/** Texts that need room, or other letters, or are next to nothing. */
const hardTexts: Readonly<Record<string, string>> = {
  'one word': 'Yes.',
  'ten thousand words': `# A long answer\n\n${Array.from({ length: 50 }, () => words(200)).join('\n\n')}`,
  'a long word': 'Donaudampfschiff'.repeat(30),
  'wide code': `Look:\n\n\`\`\`js\nconst wide = "${'x'.repeat(280)}";\nif (wide) {\n  run();\n}\n\`\`\`\n\nDone.`,
  mathematics:
    'The sum $\\sum_{i=1}^{n} x_i^2 \\le \\frac{a_b * c_d}{2}$ and \\(\\alpha_1\\) hold.',
  emoji: 'Well done 👩🏽‍💻🎉👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️',
  Arabic: '## مرحبا\n\nهذه إجابة طويلة مع **كلمات** مهمة و `code()` في المنتصف.\n\n- أولا\n- ثانيا',
  Hebrew: 'שלום! This sentence is mixed, עם מילים בעברית.',
  Chinese: '你好！这是一个没有空格的很长的回答，'.repeat(12),
  'a table': `| ${Array.from({ length: 12 }, (_, at) => `column ${at}`).join(' | ')} |\n|${'---|'.repeat(12)}\n| ${Array.from({ length: 12 }, (_, at) => `value ${at}`).join(' | ')} |`,
  'invisible characters': 'Open safe\u202etxt.exe\u202c, pass\u200bword',
  'a list': `1. ${words(12)}\n   - ${words(30)}\n   - ${words(5)}\n2. > ${words(20)}`,
};

const texts = Object.entries(hardTexts);

/** Pairs of neighbours among the hard texts. */
export const hardPairs = texts.map(([name, text], at): TaskInput => {
  const other = texts[(at + 1) % texts.length]![1];
  const prompt =
    at % 2 === 0
      ? `About ${name}: what do you say?`
      : [
          { role: 'system', content: 'You are brief.' },
          { role: 'user', content: `About ${name}: what do you say?` },
        ];
  const answers = [{ content: text, model: 'one' }, { content: other }];
  return { kind: 'pair', prompt, answers, annotations: [] };
});

const rankings = [0, 4, 8].map((at): TaskInput => {
  const answers = texts.slice(at, at + 4).map(([, content]) => ({ content }));
  return { kind: 'ranking', prompt: 'Which is the best?', answers, annotations: [] };
});

/** Opens a Studio with projects of all kinds, battles, people and runs. */
export async function openFullStudio(): Promise<FullStudio> {
  await using starting = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keel-every-page-'));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const runs = join(folder, 'runs');
  mkdirSync(runs);
  writeRuns(runs);
  const server = starting.use(
    await openModelServer({
      'a-model-with-a-long-name-of-its-own': (prompt) => `plain answer to ${prompt}`,
      small: (prompt) => `loud answer to ${prompt}`,
    }),
  );
  const opened = starting.use(await openTestStudio({ runs, models: [server.url] }));
  const { store } = opened.studio;
  await addExample(store);
  const options = { overlap: 2, random: () => 0.99 };
  const add = async (name: string, inputs: readonly TaskInput[]) => {
    const id = await store.openProject(name);
    await store.addTasks(id, inputs, options);
    return id;
  };
  const hard = await add(
    'Texts of all kinds, with a name that is too long for one line',
    hardPairs,
  );
  await store.saveSettings(hard, {
    aspects: [
      { key: 'helpful', label: 'Helpful', question: 'Does it help?', least: 1, most: 5 },
      { key: 'points', label: 'Points', question: 'Of 100', least: 0, most: 100 },
    ],
  });
  await store.saveGuidelines(hard, 'Prefer the **true** answer.');
  const ranked = await add('Rankings', rankings);
  const empty = await store.openProject('Empty');
  const example = await store.project(EXAMPLE_PROJECT);
  const models = ['a-model-with-a-long-name-of-its-own', 'small'] as const;
  for (const vote of ['left', 'right', 'tie'] as const) {
    const { id } = await store.startBattle(hard, 'Ann', models);
    const [left, right] = [hardTexts.Chinese!, hardTexts['wide code']!];
    await store.addTurn(id, 'Ann', { prompt: hardTexts['a long word']!, left, right });
    await store.voteBattle(id, 'Ann', { vote });
  }
  const said = await store.next(hard, 'Ann');
  const comment = `${hardTexts['a long word']} ${hardTexts['invisible characters']}`;
  await store.annotate(said.task!.id, 'Ann', { choice: 'left', comment });
  const projects = { example, texts: hard, rankings: ranked, empty };
  const owned = starting.move();
  return {
    ...{ opened, projects, pages: pagesOf(projects, said.task!.id) },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function pagesOf(
  { example, texts: hard, rankings: ranked, empty }: FullStudio['projects'],
  task: string,
) {
  const page = (name: string, path: string, role: Role, title: string | RegExp): ShownPage => ({
    ...{ name, path },
    ready: (shown) => shown.getByRole(role, { name: title }).first().waitFor(),
  });
  const answer = ['article', 'Answer A'] as const;
  return [
    page('projects', '/projects', 'link', 'Example'),
    page('tasks', `/projects/${hard}`, 'table', 'Tasks'),
    page('tasks, empty', `/projects/${empty}`, 'heading', 'This project has no tasks yet'),
    page('disagreements', `/projects/${example}/disagreements`, 'table', 'Tasks'),
    page('agreement', `/projects/${example}/agreement`, 'table', 'People'),
    page('agreement, empty', `/projects/${empty}/agreement`, 'heading', 'No verdicts yet'),
    page('arena', `/projects/${hard}/arena`, 'table', 'Last battles'),
    page('arena, empty', `/projects/${empty}/arena`, 'heading', 'No battles yet'),
    page('train', `/projects/${hard}/train`, 'heading', 'The first round'),
    page('settings', `/projects/${hard}/settings`, 'button', 'Save the settings'),
    page('a task', `/projects/${hard}/tasks/${task}`, 'button', 'Settle'),
    page('annotating pairs', `/projects/${hard}/annotate`, ...answer),
    page('annotating rankings', `/projects/${ranked}/annotate`, ...answer),
    page('annotating, done', `/projects/${empty}/annotate`, 'heading', 'Nothing is left'),
    page('a battle', `/projects/${hard}/battle`, 'textbox', 'Your prompt'),
    page('people', '/people', 'table', 'People who can sign in'),
    page('runs', '/runs', 'link', 'grpo-other'),
    page('a run', '/runs/view/grpo', 'img', /^Reward\./),
    page('samples', '/runs/view/grpo?tab=samples', 'gridcell', /^Answer 0 says/),
    page('answers of a run', '/runs/view/grpo?tab=answers', 'tabpanel', 'Answers'),
    page('options of a run', '/runs/view/grpo?tab=options', 'row', 'learning_rate 0.1'),
    page('a comparison', '/runs/compare?run=grpo&run=grpo-other', 'img', /^Reward/),
    page('no page', '/nowhere', 'heading', 'There is no such page'),
    page('no page of runs', '/runs/nowhere', 'heading', 'There is no such page'),
  ];
}

type Role = Parameters<Page['getByRole']>[0];
