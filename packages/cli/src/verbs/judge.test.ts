import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { goldenPath } from '@keel/torch/testing';
import { describe, expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const tiny = goldenPath('tiny-chat');
const env = (folder: TemporaryFolder) => ({ env: { KEEL_CACHE: folder.file('cache') } });

const chat = (prompt: string, completion: string) => ({
  prompt: [{ role: 'user', content: prompt }],
  completion: [{ role: 'assistant', content: completion }],
});

function rows(folder: TemporaryFolder, name: string, list: readonly unknown[]): string {
  const path = folder.file(name);
  writeFileSync(path, list.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

function answers(folder: TemporaryFolder, count = 4): [string, string] {
  const prompts = Array.from({ length: count }, (_, row) => `question ${row}`);
  return [
    rows(
      folder,
      'base.jsonl',
      prompts.map((prompt) => chat(prompt, 'an answer')),
    ),
    rows(
      folder,
      'tuned.jsonl',
      prompts.map((prompt, row) => chat(prompt, `another one, ${row}`)),
    ),
  ];
}

const judged = ['--judge', `model:${tiny}`, '--precision', 'fp32'];

describe('keel judge', () => {
  test('compares two files, resumes from its output, and from its cache', async () => {
    using folder = new TemporaryFolder();
    const files = answers(folder);
    const out = folder.file('out');
    const args = ['judge', ...files, ...judged, '--output', out, '--json'];
    const first = await keel(args, env(folder));
    expect(first.code, first.stderr).toBe(0);
    const final = jsonLines(first.stdout).at(-1)!;
    expect(final).toMatchObject({
      type: 'final',
      summary: { pairs: 4, judged: 4, model_a: 'base', model_b: 'tuned', orders: { pairs: 4 } },
    });
    for (const name of ['verdicts.jsonl', 'annotations.json', 'summary.json', 'report.html'])
      expect(existsSync(`${out}/${name}`), name).toBe(true);
    const again = jsonLines((await keel(args, env(folder))).stdout);
    expect(again.at(-1)).toEqual(final);
    const cached = await keel([...args, '--overwrite'], env(folder));
    const { usage, ...others } = jsonLines(cached.stdout).at(-1)!.summary as { usage: object };
    expect(usage).toEqual({ prompt_tokens: 0, answer_tokens: 0, cost: 0 });
    expect(final.summary).toMatchObject(others);
    const people = await keel(args.slice(0, -1), env(folder));
    expect(people.stdout).toMatch(/win rate of b.*\d+% \[\d+%, \d+%\]/);
    expect(people.stdout).toContain(`${out}/report.html`);
    const annotations = ['judge', '--annotations', `${out}/annotations.json`, '--json'];
    const recomputed = jsonLines((await keel(annotations)).stdout).at(-1)!;
    expect(recomputed.summary).toMatchObject({ pairs: 4, model_b: 'tuned' });
  });

  test('lets two models answer prompts first, and judges what they say', async () => {
    using folder = new TemporaryFolder();
    const prompts = rows(
      folder,
      'prompts.jsonl',
      ['one', 'two', 'three'].map((content) => ({ prompt: [{ role: 'user', content }] })),
    );
    // A run before and after, whose result equals its start.
    const run = folder.file('run');
    mkdirSync(run);
    symlinkSync(tiny, `${run}/final`);
    symlinkSync(tiny, folder.file('start'));
    writeFileSync(
      `${run}/config.yaml`,
      `model: ${folder.file('start')}\neval_data:\n  - ${prompts}\n`,
    );
    const out = folder.file('out');
    const common = [...judged, '--output', out, '--max-new-tokens', '6', '--json'];
    const adapters = `--adapter=base,${folder.file('none')}`;
    const two = [`--model=${tiny}`, adapters, '--data', prompts];
    const missing = await keel(['judge', ...two, ...common], env(folder));
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stderr).toContain(folder.file('none'));
    const same = await keel(['judge', `--model=${tiny}`, '--data', prompts, ...common]);
    expect(same.code).toBe(2);
    const models = ['judge', '--run', run, ...common];
    const planned = await keel([...models, '--dry-run'], env(folder));
    expect(jsonLines(planned.stdout)[0]).toMatchObject({ type: 'plan', rows: 3, calls: 6 });
    expect(existsSync(`${out}/answers-a.jsonl`)).toBe(false);
    const { code, stdout, stderr } = await keel(models, env(folder));
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).at(-1)!.summary).toMatchObject({
      ...{ pairs: 3, model_a: 'before', model_b: run, ties: 3 },
      rules: [{ count: 3 }],
    });
    const [answer] = jsonLines(readFileSync(`${out}/answers-b.jsonl`, 'utf8'));
    expect(answer).toMatchObject({ row: 0, generator: run, tokens: 6, finish_reason: 'length' });
    // Sampled answers are read as files of answers.
    const files = ['a', 'b'].map((side) => `${out}/answers-${side}.jsonl`);
    const asFiles = [...judged, '--output', folder.file('other'), '--json'];
    const read = await keel(['judge', ...files, ...asFiles], env(folder));
    expect(jsonLines(read.stdout).at(-1)!.summary).toMatchObject({ model_a: 'before', pairs: 3 });
  });

  test('lets models answer rows and variables with numbers as they are written', async () => {
    using folder = new TemporaryFolder();
    const [data, template] = [folder.file('prompts.jsonl'), folder.file('numbers.jinja')];
    const digits = '12345678901234567890';
    const tools = `[{"type": "function", "function": {"name": "f", "parameters": {"const": ${digits}}}}]`;
    writeFileSync(
      data,
      `{"prompt": [{"role": "user", "content": "hi"}], "tools": ${tools}, "chat_template_kwargs": {"y": ${digits}}}\n`,
    );
    const seen = 'tools[0].function.parameters.const';
    writeFileSync(template, `{{ raise_exception(x ~ " " ~ y ~ " " ~ ${seen}) }}`);
    symlinkSync(tiny, folder.file('other'));
    const models = ['--model', `${tiny},${folder.file('other')}`, '--data', data];
    const rendering = ['--chat-template', template, '--chat-template-kwargs', '{"x": 1.0}'];
    const output = ['--output', folder.file('out')];
    const { code, stderr } = await keel(
      ['judge', ...models, ...rendering, ...judged, ...output],
      env(folder),
    );
    expect(code).toBe(1);
    expect(stderr).toContain(`1.0 ${digits} ${digits}`);
  });

  test('checks a judge against labels', async () => {
    using folder = new TemporaryFolder();
    const labels = rows(folder, 'labels.jsonl', [
      { prompt: 'p', response_1: 'yes', response_2: 'no', labels: { ann: 1, bob: 1, eve: 2 } },
      { instruction: 'p', output_1: 'yes', output_2: 'no', label: 2 },
      { prompt: 'p', chosen: 'yes', rejected: 'no' },
    ]);
    const args = ['judge', '--check', labels, ...judged, '--output', folder.file('out')];
    const { code, stdout, stderr } = await keel([...args, '--json'], env(folder));
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).at(-1)!.summary).toMatchObject({ pairs: 3, people: { votes: 3 } });
    const people = await keel(args, env(folder));
    expect(people.stdout).toMatch(/accuracy +\d+%/);
  });

  test('checks the judge of a comparison first', async () => {
    using folder = new TemporaryFolder();
    const files = answers(folder);
    const labels = rows(folder, 'labels.jsonl', [{ prompt: 'p', chosen: 'yes', rejected: 'no' }]);
    const args = ['judge', ...files, '--check', labels, '--judge', 'reward:regex:/e/'];
    const all = [...args, '--output', folder.file('out'), '--json'];
    const planned = await keel([...all, '--dry-run'], env(folder));
    expect(jsonLines(planned.stdout)).toMatchObject([
      { type: 'plan', mode: 'check', rows: 1, calls: 1 },
      { type: 'plan', mode: 'comparison', rows: 4, calls: 4 },
    ]);
    const { code, stdout, stderr } = await keel(all, env(folder));
    expect(code, stderr).toBe(0);
    expect(jsonLines(stdout).at(-1)!.summary).toMatchObject({
      ...{ pairs: 4, win_rate: { count: 4 }, orders: { once: 4, agree: null } },
      check: { pairs: 1, accuracy: { value: 1, count: 1 } },
    });
    const people = await keel(all.slice(0, -1), env(folder));
    expect(people.stdout).toMatch(/judge is right +100% \[\d+%, 100%\] of 1 labelled pair/);
  });

  test('stops at a signal, and resumes', async () => {
    using folder = new TemporaryFolder();
    const files = answers(folder, 400);
    const out = folder.file('out');
    const args = ['judge', ...files, ...judged, '--output', out, '--json'];
    const stopped = await keel(args, {
      ...env(folder),
      onLine: (line, child) => {
        if (line.includes('"progress"')) child.kill('SIGINT');
      },
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    const last = jsonLines(stopped.stdout).at(-1)!;
    expect(last).toMatchObject({ type: 'interrupted', output: out });
    expect(last.resume).toContain('keel judge');
    const partial = `${out}/verdicts.jsonl.partial`;
    const saved = existsSync(partial) ? readFileSync(partial, 'utf8').split('\n').length - 1 : 0;
    expect(saved).toBeLessThan(400);
    const { code, stdout } = await keel(args, env(folder));
    expect(code).toBe(0);
    expect(jsonLines(stdout).at(-1)!.summary).toMatchObject({ pairs: 400 });
  });

  test('refuses what does not fit together, with the option', async () => {
    using folder = new TemporaryFolder();
    const [a, b] = answers(folder);
    for (const [args, problem] of [
      [[], /<answers>.*--pairs/],
      [[a, b, a], /<answers>.*3/],
      [[a, b, '--pairs', a, ...judged, '--output', 'x'], /<answers>, --pairs/],
      [[a, b], /--judge.*--output/s],
      [['--annotations', a, '--judge', 'model:x'], /--judge/],
      [['--annotations', a, '--check', a], /--check/],
      [[a, '--check', a, ...judged, '--output', 'x'], /--check/],
      [['--adapter', 'base,x', ...judged, '--output', 'x'], /--data/],
    ] as const) {
      const { code, stderr } = await keel(['judge', ...args]);
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(problem);
    }
    const other = rows(folder, 'other.jsonl', [chat('another question', 'x')]);
    const unpaired = ['judge', a, other, ...judged, '--output', folder.file('out')];
    const refused = await keel(unpaired, env(folder));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/base\.jsonl:1.*4 of 4.*other\.jsonl:1/s);
    const empty = folder.file('empty.jsonl');
    writeFileSync(empty, '');
    const none = await keel(['judge', a, empty, ...judged, '--output', folder.file('out')]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('empty.jsonl');
  });
});
