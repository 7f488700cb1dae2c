import { writeFileSync } from 'node:fs';
import { type OptionDescriptor, otherTrainersNames, trlHint } from '@keel/align/config';
import { describe, expect, test } from 'vitest';
import { withPlainBooleans } from './flags.ts';
import { jsonLines, keel, TemporaryFolder } from './testing/command-line.ts';
import { commands, verbs } from './verb-list.ts';

// Whatever loads the addon fails with this: KEEL_LIBTORCH names another LibTorch than the compiled
// one.
const withoutLibtorch = { KEEL_LIBTORCH: '/nowhere' };

describe('help', () => {
  test('lists every verb in one line each, without LibTorch', async () => {
    const { code, stdout, stderr } = await keel(['--help'], { env: withoutLibtorch });
    expect([code, stderr]).toEqual([0, '']);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}  `, 'm'));
  });

  test('of a group lists its verbs', async () => {
    const [own, asked] = await Promise.all([keel(['data', '--help']), keel(['help', 'data'])]);
    expect(own).toMatchObject({ code: 0, stdout: asked.stdout, stderr: '' });
    for (const { name } of verbs.filter((one) => one.name.startsWith('data '))) {
      expect(own.stdout).toMatch(new RegExp(`^  ${name.split(' ')[1]}  `, 'm'));
    }
  });

  test('of a verb of a group is the same with help before and --help after it', async () => {
    const [own, asked] = await Promise.all([
      keel(['data', 'convert', '--help']),
      keel(['help', 'data', 'convert']),
    ]);
    expect(own).toMatchObject({ code: 0, stdout: asked.stdout, stderr: '' });
    expect(own.stdout).toContain('--output <');
  });

  test('of each verb ends with one example, without LibTorch', async () => {
    const outputs = await Promise.all(
      verbs.map(({ name }) => keel([...name.split(' '), '--help'], { env: withoutLibtorch })),
    );
    for (const [index, { code, stdout, stderr }] of outputs.entries()) {
      expect([code, stderr]).toEqual([0, '']);
      const { name } = verbs[index]!;
      const example = `\\nExample:\\n  npx keel ${name}\\b[^\\n]*\\n`;
      const more = `(\\n\\d+ more options: keel ${name} --help-all\\n)?`;
      expect(stdout).toMatch(new RegExp(`${example}${more}$`));
    }
  });

  test('of dpo shows groups, defaults and choices', async () => {
    const { stdout } = await keel(['dpo', '--help-all']);
    const flat = stdout.replaceAll(/\s+/g, ' ');
    expect(flat).toContain('Optimisation: --learning-rate <rate>');
    expect(flat).toContain('one of constant, linear, cosine (default: linear)');
    expect(flat).toContain('Required: --data <path...>');
    expect(flat).toContain('--[no-]shuffle');
    expect(flat).toMatch(/one of sigmoid, robust, ipo, [^;)]*\(default: sigmoid\)/);
  });

  test('the version is that of the package', async () => {
    const { code, stdout } = await keel(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage ends with 2 and names what is near', () => {
  const cases: [string[], string][] = [
    [['dpoo'], 'verb "dpoo". Did you mean dpo?'],
    [['dpo', 'rows.jsonl'], '"rows.jsonl"'],
    [['dpo', '--lora', 'perhaps'], '--lora: expected true or false, found "perhaps"'],
    [['data'], 'convert'],
    [['data', 'convrt'], 'Did you mean convert?'],
    [['data', 'convert', 'x.jsonl', '--otput', 'y'], 'Did you mean --output?'],
    [['data', 'convert', '--output', 'y'], '<files> is required'],
    [['data', 'convert', 'x.jsonl'], 'keel data convert --help'],
    [['dpo', '--learning_rate', '1e-5'], '--learning-rate'],
    [['score', '--dta', 'x'], '--data'],
    [['dpo', '--data', 'x', '--output', 'y', '--loss', 'sigmod'], 'did you mean "sigmoid"?'],
    [['dpo', '--data', 'x', '--output', 'y', '--beta', 'much'], '--beta: expected a number'],
    [['dpo', '--data', 'x'], '--output (in YAML output) is required'],
    [['generate'], '--prompts'],
    [['tokens'], '--text'],
    [['schema', 'dop'], 'did you mean "dpo"?'],
    [['dpo', '--beta', '1', '--beta=2'], 'counts: 2'],
    [['dpo', '--lora', '--no-lora'], 'counts: --no-lora'],
    [['dpo', '--lora=perhaps'], '--lora: expected true or false, found "perhaps"'],
    [['dpo', '--data', 'x', '--output', 'y', '--seed=0x10'], 'found "0x10": write it in decimal'],
    [['dpo', '--data', 'x', '--output', 'y', '--beta', '-1'], 'a number above 0, found -1'],
    [['dpo', '--data', 'x', '--output', ''], '--output: expected text, found an empty value'],
    [['dpo', '--data', 'x', '--output', 'null'], './null'],
    [['dpo', '--config', '/nowhere.yaml'], '/nowhere.yaml'],
  ];
  for (const [args, message] of cases) {
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await keel(args);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toContain(message);
      expect(stderr).not.toMatch(/^\s+at /m);
    });
  }
});

test.each([
  ['dpo', '--ref-model-sync-steps', '--reference-sync-steps'],
  ['online-dpo', '--sync-ref-model', '--reference-sync-steps N'],
  ['dpo', '--use_peft', '--lora'],
  ['sft', '--train-on-prompt', '--no-completion-only-loss'],
  ['dpo', '--rpo-alpha', '--loss sigmoid,chosen_nll_by_token and --loss-weights 1,alpha'],
  ['grpo', '--log-completions', '--show-samples'],
  ['generate', '--max-tokens', '--max-new-tokens'],
  ['generate', '--data', '--prompts'],
  ['dpo', '--max_tokens', '--max-length'],
  ['sft', '--cutoff-len', '--max-length'],
  ['dpo', '--lora-r', '--lora-rank'],
  ['dpo', '--per-device-train-batch-size', '--micro-batch-size.*--batch-size'],
  ['rloo', '--n-samples-per-prompt', '--num-generations'],
])('%s %s is a name of another trainer: %s', async (verb, flag, hint) => {
  const { code, stderr } = await keel([verb, flag]);
  expect(code).toBe(2);
  expect(stderr).toMatch(new RegExp(`^error: unknown option '${flag}': `));
  expect(stderr).toMatch(new RegExp(hint));
});

test('every hint for a name of another trainer names options that some verb has', async () => {
  const definitions = await Promise.all(
    verbs.map(async (verb) => (await verb.options()).definition),
  );
  const all = definitions.flatMap(({ descriptors }) => descriptors);
  for (const name of otherTrainersNames) {
    expect([name, trlHint(name, all, 'yaml')]).toEqual([name, expect.any(String)]);
  }
});

describe('a boolean flag', () => {
  test.each([
    [['--lora', 'true'], true],
    [['--lora', 'false'], false],
    [['--no-lora', 'false'], true],
    [['--lora=no'], false],
    [['--lora', '--data', 'x'], true],
  ])('%j', (args, lora) => {
    const descriptors = [
      { name: 'lora', type: 'boolean', flag: '--lora', negatedFlag: '--no-lora' },
      { name: 'data', type: 'string', flag: '--data', negatedFlag: null },
    ] as unknown as OptionDescriptor[];
    const plain = withPlainBooleans(args, descriptors);
    expect(plain[0]).toBe(lora ? '--lora' : '--no-lora');
    expect(plain.slice(1)).toEqual(args[1]?.startsWith('-') ? args.slice(1) : []);
    expect(withPlainBooleans(['--data', '--lora', 'true'], descriptors)).toHaveLength(3);
    expect(withPlainBooleans(['--lora', 'a.yaml'], descriptors, true)).toEqual([
      '--lora',
      'a.yaml',
    ]);
    expect(() => withPlainBooleans(['--lora', 'perhaps'], descriptors)).toThrow(
      /--lora.*"perhaps"/,
    );
  });
});

test('a failure ends with 1, with a message and no stack unless KEEL_DEBUG is 1', async () => {
  const args = ['tokens', '--model', '/nowhere', '--text', 'x'];
  const plain = await keel(args);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toMatch(/^error: .*\/nowhere/);
  expect(plain.stderr).not.toMatch(/^\s+at /m);
  const debugging = await keel(args, { env: { KEEL_DEBUG: '1' } });
  expect(debugging.code).toBe(1);
  expect(debugging.stderr).toMatch(/^\s+at /m);
});

describe('a YAML file', () => {
  test('its mistakes are named with line and column', async () => {
    using folder = new TemporaryFolder();
    const file = folder.file('keel.yaml');
    writeFileSync(file, 'data: rows.jsonl\nlr: 1\nbata: 0.3\n');
    const { code, stderr } = await keel(['dpo', '--config', file]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}:2:1: unknown key "lr": use learning_rate`);
    expect(stderr).toContain(`${file}:3:1: unknown key "bata"; did you mean "beta"?`);
  });

  test('its schema knows every key, without LibTorch', async () => {
    const { code, stdout } = await keel(['schema', 'dpo'], { env: withoutLibtorch });
    expect(code).toBe(0);
    const [schema] = jsonLines(JSON.stringify(JSON.parse(stdout)));
    expect(schema).toMatchObject({
      title: 'keel dpo',
      additionalProperties: false,
      properties: { learning_rate: {}, beta: { default: null } },
    });
    expect(schema!.properties).not.toHaveProperty('config');
  });
});
