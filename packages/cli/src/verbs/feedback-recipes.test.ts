// Recipes of AI feedback as a user runs them. Constitutional AI: revise, sft, generate, label, reward,
// with a critic and a judge behind an endpoint. Self-rewarding: the model of a stage is the judge.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { openScriptedEndpoint, type Script } from '@keel/align/testing/endpoint';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat } from '../testing/short-runs.ts';

const prompts = ['hello', 'who are you', 'what is a bird', 'tell me more'];

/** Criticises, revises, and prefers the first answer with a probability of 0.8. */
const speaking: Script = ({ messages }) => {
  const asked = messages.at(-1)!.content;
  if (/<answer B/.test(asked)) return { tokens: [{ token: 'A', top: { A: 0.8, B: 0.2 } }] };
  return /^Rewrite/.test(asked)
    ? { text: `I would rather say it so: ${asked.slice(-20)}` }
    : { text: 'The response is cold, and it leaves out what the person wanted to know.' };
};

function write(folder: TemporaryFolder, { url, samples }: { url: string; samples: number }): void {
  const rows = prompts.map((prompt) => ({ prompt: [{ role: 'user', content: prompt }] }));
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  writeFileSync(folder.file('prompts.jsonl'), lines.join(''));
  const spec = `type: endpoint\nbase_url: ${url}\nmodel: large\n`;
  writeFileSync(folder.file('critic.yaml'), spec);
  writeFileSync(folder.file('judge.yaml'), `${spec}ties: false\n`);
  writeFileSync(
    folder.file('plan.yaml'),
    `output: ${folder.file('run')}
defaults: {model: ${tinyChat}, precision: fp32, threads: 1, lora: true, batch_size: 2}
stages:
  revise:
    data: ${folder.file('prompts.jsonl')}
    critic: ${folder.file('critic.yaml')}
    max_new_tokens: 6
  sft:
    data: \${stages.revise}/sft.jsonl
    max_steps: 1
  generate:
    model: \${stages.sft}
    prompts: ${folder.file('prompts.jsonl')}
    samples: ${samples}
    temperature: 1
    max_new_tokens: 64
    stop: ${ends}
  label:
    data: \${stages.generate}
    judge: ${folder.file('judge.yaml')}
    judge_cache: "off"
    principles_per_pair: 1
  reward:
    model: \${stages.sft}
    data: \${stages.label}
    on_bad_row: skip
    max_steps: 1
`,
  );
}

/** The tiny model never ends its turn, and answers that are cut off train nothing. */
const ends = JSON.stringify([...'aeiou']);

const align = (folder: TemporaryFolder, args: readonly string[] = []) =>
  keel(['align', folder.file('plan.yaml'), ...args], {
    env: { KEEL_CACHE: folder.file('cache') },
  });

test('runs to its end, once, and again only from what changed', async () => {
  using folder = new TemporaryFolder();
  await using endpoint = await openScriptedEndpoint(speaking);
  write(folder, { url: endpoint.url, samples: 3 });
  const planned = await align(folder, ['--dry-run', '--json']);
  expect(planned.code, planned.stderr).toBe(0);
  const [plan] = jsonLines(planned.stdout);
  expect(plan!.unused).toEqual([]);
  expect(plan!.stages).toMatchObject([
    { stage: 'revise', status: 'run', writes: expect.stringContaining('critic.yaml') },
    { stage: 'sft', waits_for: ['revise'] },
    { stage: 'generate', writes: expect.stringContaining('sft/merged') },
    { stage: 'label', writes: expect.stringContaining('judge.yaml') },
    { stage: 'reward', waits_for: ['label'] },
  ]);
  expect(existsSync(folder.file('run'))).toBe(false);
  expect(endpoint.requests).toEqual([]);

  const { code, stdout, stderr } = await align(folder, ['--json']);
  expect(code, stderr).toBe(0);
  const events = jsonLines(stdout);
  expect(events.at(-1)).toMatchObject({
    ...{ type: 'done', ran: ['revise', 'sft', 'generate', 'label', 'reward'] },
  });
  const numbers = events.flatMap(({ type, stage, numbers }) =>
    type === 'finished'
      ? (numbers as { label: string; value: number }[]).map(
          ({ label, value }) => [`${stage}: ${label}`, value] as const,
        )
      : [],
  );
  expect(Object.fromEntries(numbers)).toMatchObject({
    ...{ 'revise: revised': 1, 'revise: rows for sft': 4 },
    // The judge names the first place, so both orders of a pair say nothing together.
    ...{ 'label: rows': 4, 'label: both orders agree': 0 },
  });
  const labelled = jsonLines(readFileSync(folder.file('run/label/labelled.jsonl'), 'utf8'));
  for (const { label_probability } of labelled) expect(label_probability).toBeCloseTo(0.5, 12);
  expect(
    endpoint.requests.some(({ messages }) => /Which response/.test(messages[0]!.content)),
  ).toBe(true);
  const report = readFileSync(folder.file('run/report.html'), 'utf8');
  expect(report).toContain('revise/sft.jsonl');
  expect(report).toContain('both orders agree');

  const asked = endpoint.requests.length;
  const again = await align(folder);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout).toContain('Nothing to run');
  write(folder, { url: endpoint.url, samples: 2 });
  const changed = await align(folder, ['--json']);
  expect(changed.code, changed.stderr).toBe(0);
  expect(jsonLines(changed.stdout).at(-1)!.ran).toEqual(['generate', 'label', 'reward']);
  expect(endpoint.requests.length).toBeGreaterThan(asked);
});

test('a round of self-rewarding: the model of a stage rates its own answers', async () => {
  using folder = new TemporaryFolder();
  const rows = prompts.map((prompt) => ({ prompt: [{ role: 'user', content: prompt }] }));
  const file = folder.file('prompts.jsonl');
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const answered = rows.map((row) => ({
    ...{ ...row, completion: [{ role: 'assistant', content: 'so it is' }] },
  }));
  const data = folder.file('answered.jsonl');
  writeFileSync(data, answered.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(
    folder.file('plan.yaml'),
    `output: ${folder.file('run')}
defaults: {model: ${tinyChat}, precision: fp32, threads: 1, lora: true, batch_size: 2, max_steps: 1}
stages:
  sft: {data: ${data}}
  generate:
    model: \${stages.sft}
    prompts: ${file}
    samples: 4
    temperature: 1
    max_new_tokens: 64
    stop: ${ends}
  label:
    data: \${stages.generate}
    judge: \${stages.sft}
    judge_cache: "off"
    rubric: recipes/judges/additive.yaml
    pairing: best-worst
    length_guard: 0.1
  dpo:
    model: \${stages.sft}
    data: \${stages.label}
    on_bad_row: skip
`,
  );
  const { code, stdout, stderr } = await align(folder, ['--json']);
  expect(code, stderr).toBe(0);
  expect(jsonLines(stdout).at(-1)!.ran).toEqual(['sft', 'generate', 'label', 'dpo']);
  const labelled = jsonLines(readFileSync(folder.file('run/label/labelled.jsonl'), 'utf8'));
  expect(labelled.length).toBeGreaterThan(0);
  for (const { score_chosen, score_rejected, label_probability } of labelled) {
    expect(label_probability).toBe(1);
    expect(score_chosen).toBeGreaterThan(score_rejected as number);
    expect(score_chosen).toBeLessThanOrEqual(5);
    expect(score_rejected).toBeGreaterThanOrEqual(0);
  }
  const again = await align(folder);
  expect(again.stdout).toContain('Nothing to run');
});
