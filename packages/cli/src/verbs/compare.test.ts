import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Calling, jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';
import { tinyChat, trajectoryRows } from '../testing/short-runs.ts';

const pairs = trajectoryRows('dpo-sigmoid');

/** A comparison on tiny-chat that takes seconds. */
class Comparing extends TemporaryFolder {
  compare(args: readonly string[] = [], calling: Calling = {}) {
    const usual = ['--model', tinyChat, '--data', pairs, '--eval-data', pairs, '--lora'];
    const short = ['--batch-size', '4', '--max-steps', '2', '--learning-rate', '1e-2'];
    const measured = ['--eval-prompts', '4', '--max-new-tokens', '6', '--reward', 'length:-20'];
    const output = ['--output', this.file('run'), '--precision', 'fp32'];
    return keel(['compare', ...usual, ...short, ...measured, ...output, ...args], {
      ...calling,
      env: { KEEL_CACHE: this.file('cache'), ...calling.env },
    });
  }
}

describe('keel compare', () => {
  test('--dry-run shows the entries and what they cost, and writes nothing', async () => {
    using folder = new Comparing();
    const { code, stdout, stderr } = await folder.compare(['--dry-run', '--seeds', '1,2']);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('keel compare: 10 entries, in ');
    expect(stdout).toMatch(/ 5\. kto-b0\.1-s1 +keel kto: run /);
    expect(stdout).toMatch(/To run: 10 entries, about /);
    expect(stdout).toMatch(/11 models, each on 16 held-out pairs and 4 prompts, /);
    expect(existsSync(folder.file('run'))).toBe(false);
  });

  test('--eval-suites are columns of the table; a wrong suite is named before anything runs', async () => {
    using folder = new Comparing();
    const rows = [1, 2].map((n) => ({
      question: `${n} + 1 = `,
      choices: ['2', '3'],
      answer: n - 1,
    }));
    writeFileSync(folder.file('sums.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const task = '{name: sums, type: multiple-choice, data: sums.jsonl, prompt: question}';
    writeFileSync(folder.file('suite.yaml'), `tasks:\n  - ${task}\n`);
    writeFileSync(folder.file('wrong.yaml'), 'tasks:\n  - {name: sums, type: choice}\n');
    const wrong = await folder.compare(['--eval-suites', folder.file('wrong.yaml'), '--dry-run']);
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('wrong.yaml:2');
    const args = ['--eval-suites', folder.file('suite.yaml'), '--objectives', 'dpo', '--json'];
    const { code, stdout, stderr } = await folder.compare(args);
    expect(code, stderr).toBe(0);
    const events = jsonLines(stdout);
    const measured = events.filter(({ type }) => type === 'measured');
    expect(measured.map(({ entry }) => entry)).toEqual([null, 'dpo-b0.1-s42']);
    for (const one of measured) expect(one).toHaveProperty('suite/sums/acc');
    expect(events.at(-1)).toMatchObject({
      groups: [
        {
          suites: {
            'sums/acc': { unit: 'share', interval: [expect.any(Number), expect.any(Number)] },
          },
        },
      ],
    });
    expect(readFileSync(folder.file('run/table.md'), 'utf8')).toContain('| sums/acc |');
  });

  test('a table, a plot, a report; its log-probabilities are those of keel score', async () => {
    using folder = new Comparing();
    const names = ['--objectives', 'dpo,kto,simpo,sigmoid+0.5*chosen_nll'];
    const { code, stdout, stderr } = await folder.compare(names);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /\n +win rate +reward +accuracy +likelier +margin +chosen +rejected +KL /,
    );
    for (const name of ['dpo-b0.1', 'kto-b0.1', 'simpo-b2', 'sigmoid+0.5xchosen_nll']) {
      expect(stdout).toMatch(new RegExp(`\\n${name.replaceAll(/[.+]/g, '\\$&')} +[\\d.]+% `));
    }
    expect(stdout).toContain(`Report: ${folder.file('run/report.html')}`);
    const report = readFileSync(folder.file('run/report.html'), 'utf8');
    expect(report).toContain('<a href="simpo-b2-s42/report.html">run</a>');
    expect(report).not.toMatch(/(src|href)="https?:/);

    const name = 'simpo-b2-s42';
    const { pairs: found } = JSON.parse(
      readFileSync(folder.file(`run/evaluation/${name}.json`), 'utf8'),
    );
    const score = async (...adapter: string[]) => {
      const scored = await keel(
        [
          'score',
          '--model',
          tinyChat,
          '--data',
          pairs,
          '--precision',
          'fp32',
          '--json',
          ...adapter,
        ],
        { env: { KEEL_CACHE: folder.file('cache') } },
      );
      expect(scored.code, scored.stderr).toBe(0);
      return jsonLines(scored.stdout) as Record<string, number>[];
    };
    const own = await score('--adapter', folder.file(`run/${name}/final`));
    const before = await score();
    expect(own).toHaveLength(found.rows.length);
    for (const [at, row] of own.entries()) {
      expect(found.chosen[at]).toBeCloseTo(row.logp_chosen!, 4);
      expect(found.rejected[at]).toBeCloseTo(row.logp_rejected!, 4);
      expect(found.tokensChosen[at]).toBe(row.tokens_chosen);
      expect(found.referenceChosen[at]).toBeCloseTo(before[at]!.logp_chosen!, 4);
    }
    const right = own.filter((row, at) => {
      const margin = (one: Record<string, number>) => one.logp_chosen! - one.logp_rejected!;
      return margin(row) > margin(before[at]!);
    });
    const { entries } = JSON.parse(readFileSync(folder.file('run/results.json'), 'utf8'));
    const entry = entries.find((one: { name: string }) => one.name === name);
    expect(entry.accuracy.value).toBe(right.length / own.length);
    expect(new Set(entries.map((one: { num_tokens: number }) => one.num_tokens)).size).toBe(1);
  });

  test('after kill -9 in an entry, the same command resumes', async () => {
    using folder = new Comparing();
    const args = ['--objectives', 'dpo,ipo', '--save-steps', '1', '--max-steps', '4', '--json'];
    const killed = await folder.compare(args, {
      onLine: (line, child) => {
        const { entry, type, step } = JSON.parse(line);
        if (entry === 'ipo-b0.1-s42' && type === 'checkpoint' && step === 2) child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const { code, stdout, stderr } = await folder.compare(args);
    expect(code, stderr).toBe(0);
    const lines = jsonLines(stdout);
    const entries = lines.filter(({ type }) => type === 'entry');
    expect(entries.map(({ entry, status }) => [entry, status])).toEqual([
      ['dpo-b0.1-s42', 'done'],
      ['ipo-b0.1-s42', 'resume'],
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: 'done',
      ran: ['ipo-b0.1-s42'],
      ordered_by: 'win_rate',
    });
    // The file that a comparison writes runs the same comparison.
    const config = folder.file('run/compare.yaml');
    const again = await keel(['compare', '--config', config, '--json'], {
      env: { KEEL_CACHE: folder.file('cache') },
    });
    expect(again.code, again.stderr).toBe(0);
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ type: 'done', ran: [] });
  });

  test('SIGINT finishes the step and says how to resume', async () => {
    using folder = new Comparing();
    const stopped = await folder.compare(
      ['--objectives', 'dpo', '--max-steps', '100000', '--json'],
      {
        onLine: (line, child) => {
          const { type, step } = JSON.parse(line);
          if (type === 'step' && step === 2) child.kill('SIGINT');
        },
      },
    );
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(jsonLines(stopped.stdout).at(-1)).toMatchObject({
      ...{ type: 'interrupted', entry: 'dpo-b0.1-s42' },
      resume: `npx keel compare --config ${folder.file('run/compare.yaml')}`,
    });
  });

  test('entries of a YAML file; mistakes in it are reported with their place', async () => {
    using folder = new Comparing();
    const config = folder.file('compare.yaml');
    const entries = (text: string) => writeFileSync(config, `entries:\n${text}`);
    entries('  - objective: simpo\n    name: bold\n    simpo_gamma: 0.2\n  - objective: hinge\n');
    const planned = await folder.compare(['--config', config, '--dry-run', '--json']);
    expect(planned.code, planned.stderr).toBe(0);
    const [plan] = jsonLines(planned.stdout);
    const names = (plan!.entries as { entry: string }[]).map(({ entry }) => entry);
    expect(names).toEqual(['bold-b2-s42', 'hinge-b0.1-s42']);
    entries('  - objective: simpo\n    simpo_gamma: -1\n');
    const wrong = await folder.compare(['--config', config]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('compare.yaml:3:18: simpo_gamma: expected a number');
  });

  test('what cannot be compared is reported before anything is loaded', async () => {
    using folder = new Comparing();
    const unknown = await folder.compare(['--objectives', 'dpo,simop']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('unknown objective "simop"; did you mean "simpo"?');
    const misfit = await folder.compare(['--objectives', 'dpo,odpo']);
    expect(misfit.code).toBe(1);
    expect(misfit.stderr).toMatch(/odpo-b0\.1-s42.*score_chosen/);
    const rankings = folder.file('rankings.jsonl');
    writeFileSync(
      rankings,
      `${JSON.stringify({ prompt: 'a', completions: ['b', 'c'], ranking: [1, 2] })}\n`,
    );
    const ranked = await folder.compare(['--data', rankings]);
    expect(ranked.code).toBe(1);
    expect(ranked.stderr).toMatch(/rankings\.jsonl:1/);
  });
});

test('keel schema compare describes entries', async () => {
  const { code, stdout } = await keel(['schema', 'compare']);
  expect(code).toBe(0);
  const { properties } = JSON.parse(stdout);
  expect(properties.entries.items.properties).toHaveProperty('simpo_gamma');
  expect(properties.entries.items.properties).toHaveProperty('desirable_weight');
  expect(properties.entries.items.properties).not.toHaveProperty('batch_size');
  expect(properties).toHaveProperty('eval_prompts');
});
