// The packages as other programs use them: packed, installed, compiled against and run.
// KEEL_TEST_NODE runs the programs with another Node, such as the oldest one that they support.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyChatModel } from '../../packages/align/src/testing/tiny-chat-model.ts';
import { node, Project } from './project.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = new Project();
const keel = (...args: string[]) => project.run('npx', '--no-install', 'keel', ...args);
const write = (name: string, text: string): void => writeFileSync(join(project.folder, name), text);
const parsed = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1)!);
let tarballs: string[];

beforeAll(async () => {
  tarballs = await project.pack();
  await project.install(tarballs);
  writeTinyChatModel(join(project.folder, 'model'));
}, 600_000);
afterAll(() => project.delete());

describe('the tarballs', () => {
  it('are one for each package', () => {
    const names = [
      '0',
      'align-0',
      'evaluate-0',
      'model-0',
      'serve-0',
      'statistics-0',
      'studio-0',
      'torch-0',
    ];
    const known = names.map((name) => expect.stringMatching(new RegExp(`^keel-${name}\\.`)));
    expect(tarballs.sort()).toEqual(expect.arrayContaining(known));
  });

  it('have a licence, JavaScript and its declarations, and no tests', async () => {
    for (const tarball of tarballs) {
      const files = await project.filesOf(tarball);
      expect(files).toEqual(
        expect.arrayContaining(['package/LICENSE', 'package/README.md', 'package/package.json']),
      );
      const scripts = files.filter((path) => /^package\/dist\/.*\.js$/.test(path));
      expect(scripts.length).toBeGreaterThan(10);
      const declared = scripts.map((path) => path.replace(/\.js$/, '.d.ts'));
      const client = 'package/dist/runs/report/client.d.ts';
      expect(declared.filter((path) => !files.includes(path) && path !== client)).toEqual([]);
      const wrong = /\.test\.|\/(fixtures|testing|build|node_modules)\/|(?<!\.d)\.m?ts$/;
      const allowed = /^package\/dist\/objectives\/fixtures\/closed-world\./;
      expect(files.filter((path) => wrong.test(path) && !allowed.test(path))).toEqual([]);
    }
  });
});

describe('a project with the packages installed', () => {
  it('compiles in strict mode, with the declarations checked too', async () => {
    const entries = project.entries();
    expect(entries).toContain('@keel/align/rewards');
    const exported = entries.map((name, index) => `export * as entry${index} from '${name}';\n`);
    write('src/entries.ts', exported.join(''));
    const tsc = join(root, 'node_modules/.bin/tsc');
    expect(await project.run(tsc, '-p', '.')).toMatchObject({ code: 0, stdout: '' });
    expect(await project.run(node, 'dist/entries.js')).toMatchObject({ code: 0, stderr: '' });
  });

  it('can be required by CommonJS, so nothing awaits while it is loaded', async () => {
    const names = JSON.stringify(project.entries());
    const required = `for (const name of ${names}) require(name); console.log('all')`;
    expect(await project.run(node, '--eval', required)).toMatchObject({ code: 0, stdout: 'all\n' });
  });

  it('imports them before keel setup, which the first tensor asks for', async () => {
    const { stdout } = await project.run(node, 'dist/program.js');
    const { loaded, error } = parsed(stdout);
    expect(loaded).toBe(false);
    expect(error).toEqual({ known: true, text: expect.stringContaining('npx keel setup') });
    const failed = await keel('generate', '--model', 'model', '--prompt', 'hello');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('npx keel setup');
  });

  describe('after keel setup', () => {
    beforeAll(async () => {
      project.provideAddon();
      const { code, stdout } = await keel('setup', '--no-default-model');
      expect(stdout).toMatch(/^ {2}Addon +already compiled/m);
      expect(code).toBe(0);
    });

    it('computes and generates', async () => {
      const { stdout } = await project.run(node, 'dist/program.js', 'model');
      const { loaded, shape, answer, error } = parsed(stdout);
      expect({ loaded, shape, error }).toEqual({ loaded: false, shape: [2], error: undefined });
      expect(answer).toBeTypeOf('string');
    });

    it('refuses a second version in one process, which would end it', async () => {
      project.addOtherTorch();
      const two = `import { tensor } from '@keel/torch';
        import * as other from 'other-torch';
        tensor([1]);
        try { other.tensor([2]) } catch (error) { console.log(error.name) }`;
      const args = ['--input-type=module', '--eval', two];
      expect(await project.run(node, ...args)).toMatchObject({
        code: 0,
        stdout: 'AddonError\n',
      });
    });

    it('runs the application: training, gate, answer', async () => {
      const model = ['--model', 'model', '--steps', '3'];
      const lines = (name: string): string[] =>
        readFileSync(join(root, `examples/data/concise-${name}.jsonl`), 'utf8').split('\n');
      write('train.jsonl', lines('train').slice(0, 24).join('\n'));
      write('held-out.jsonl', lines('held-out').slice(0, 8).join('\n'));
      const rows = ['--add', 'train.jsonl', '--add-held-out', 'held-out.jsonl'];
      const { code, stdout } = await project.run(...[node, 'dist/main.js', ...model, ...rows]);
      expect(stdout.match(/^step \d of 3: .*$/gm)).toHaveLength(3);
      const passed = /^passed: held-out\/accuracy /m.test(stdout);
      expect(code).toBe(passed ? 0 : 3);
    });

    it('finds the programs that the command starts, and suites and principles', async () => {
      const { stdout } = await keel('doctor', '--json');
      expect(parsed(stdout)).toMatchObject({ engine: { problem: null } });
      const evaluated = ['evaluate', '--model', 'model', '--suite', 'core', '--dry-run'];
      expect(await keel(...evaluated)).toMatchObject({ code: 0 });
    });

    it('calls a reward function of a TypeScript module in its thread', async () => {
      write('prompts.jsonl', '{"prompt": "hello"}\n{"prompt": "world"}\n');
      write(
        'reward.ts',
        'import type { FunctionInput } from "@keel/align/rewards";\n' +
          'export default ({ text }: FunctionInput): number => -text.length;\n',
      );
      const common = ['best-of-n', '--model', 'model', '--data', 'prompts.jsonl'];
      const sampling = [
        '--num-generations',
        '2',
        '--max-new-tokens',
        '4',
        '--output',
        'best.jsonl',
      ];
      const { code, stderr } = await keel(...common, ...sampling, '--reward', 'reward.ts');
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
    });
  });
});
