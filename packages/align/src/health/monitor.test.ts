import { describe, expect, it } from 'vitest';
import type { Finding, HealthContext, HealthRow } from './finding.ts';
import { HealthMonitor } from './monitor.ts';

const context: HealthContext = { learningRate: 1e-4, maxGradNorm: 1, maxKl: 50 };

/** What is found in these rows, in order. */
function found(rows: readonly HealthRow[], own: Partial<HealthContext> = {}): Finding[] {
  const monitor = new HealthMonitor({ ...context, ...own });
  return [...rows.flatMap((row) => monitor.addRow(row)), ...monitor.end()];
}

/** Rows of steps 1 to `count`. */
const steps = (count: number, of: (step: number) => Record<string, number>): HealthRow[] =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, ...of(i + 1) }));

const codes = (findings: readonly Finding[]): string[] => findings.map(({ code }) => code);
const text = (words: string): { prompt: string; text: string }[] =>
  ['a', 'b', 'c', 'd'].map((prompt) => ({ prompt, text: `${prompt} ${words}` }));
const prose = 'quick brown foxes jump over lazy dogs while seven wizards sing softly at dawn';

describe('a sound run', () => {
  it('of pairs has no finding', () => {
    const rows = steps(30, (step) => ({
      loss: 0.7 * Math.exp(-step / 10),
      'rewards/margins': step / 4,
      'rewards/chosen': -step / 50,
      'logps/chosen': -100 - step,
      grad_norm: 5,
    }));
    expect(found(rows)).toEqual([]);
  });

  it('of a method that samples has no finding', () => {
    const rows = steps(30, (step) => ({
      loss: step % 2 === 0 ? 12 : -0.01,
      reward: step / 30,
      reward_std: 0.4 - step / 100,
      entropy: 2 * 0.95 ** step,
      'rewards/deviation/mean': 0.8 + 0.1 * (step % 3),
      frac_reward_zero_std: 0.6,
      'completions/clipped_ratio': 0.8,
      'objective/kl': step / 6,
      grad_norm: 0.5,
    }));
    expect(found(rows)).toEqual([]);
  });
});

describe('of a method that samples', () => {
  it('finds answers that no longer vary', () => {
    const rows = steps(40, (step) => ({ entropy: step < 15 ? 2 : step < 30 ? 0.15 : 0.01 }));
    expect(found(rows)).toMatchObject([
      {
        code: 'entropy-collapse',
        severity: 'warning',
        step: 17,
        evidence: { start: 2, now: 0.15 },
      },
      { code: 'entropy-collapse', severity: 'serious', step: 32 },
    ]);
    // Too short to tell.
    expect(found(rows.slice(0, 9))).toEqual([]);
  });

  it('finds rewards that rose and hardly differ, but not those that never rose', () => {
    const saturated = (reward: number) =>
      steps(20, (step) => ({
        reward: step < 8 ? 0 : reward,
        reward_std: step < 8 ? 0.4 : 0.05,
      }));
    expect(found(saturated(0.9))).toMatchObject([
      { code: 'reward-saturated', severity: 'warning', evidence: { start: 0.4, now: 0.05 } },
    ]);
    expect(found(saturated(0.1))).toEqual([]);
  });

  it('finds members of an ensemble that disagree more and more, also in a composed reward', () => {
    for (const name of ['rewards/deviation/mean', 'rewards/helpful.deviation/mean']) {
      const rows = steps(30, (step) => ({ [name]: 0.5 * 1.06 ** step }));
      expect(found(rows)).toMatchObject([
        { code: 'ensemble-disagreement', severity: 'warning' },
        { code: 'ensemble-disagreement', severity: 'serious' },
      ]);
    }
    const other = steps(30, (step) => ({ 'rewards/own_deviation/mean': step }));
    expect(found(other)).toEqual([]);
  });
});

it('finds a loss that grows, once, with its step and numbers', () => {
  const rows = steps(20, (step) => ({ loss: step < 8 ? 2 : 9 }));
  expect(found(rows)).toMatchObject([
    // The median of five steps passes the limit with the third step of them.
    { code: 'exploding-loss', severity: 'serious', step: 10, evidence: { start: 2, now: 9 } },
  ]);
  const noisy = steps(20, (step) => ({ loss: step % 4 === 0 ? 9 : 2 - step / 50 }));
  expect(codes(found(noisy))).not.toContain('exploding-loss');
});

it('compares the same held-out rows, whatever the training rows show', () => {
  const rows = [
    { step: 0, eval_loss: 1 },
    ...steps(4, () => ({ loss: 1 })),
    { step: 4, eval_loss: 3.5 },
  ];
  expect(found(rows)).toMatchObject([{ code: 'exploding-loss', step: 4 }]);
});

it('reports a margin twice where it becomes serious', () => {
  const rows = steps(40, (step) => ({ loss: 0.69 - step / 100, 'rewards/margins': 2 * step }));
  expect(found(rows).map(({ severity, step }) => [severity, step])).toEqual([
    ['warning', 13],
    ['serious', 28],
  ]);
});

it('finds chosen answers that collapse, relative to the start and to the reference', () => {
  const of = (reward: number) =>
    steps(12, (step) => ({
      loss: 0.69 - step / 100,
      'logps/chosen': -100 - 30 * step,
      'rewards/chosen': reward * step,
    }));
  expect(codes(found(of(-3)))).toEqual(['chosen-collapse', 'chosen-collapse']);
  // Harder rows, not a worse model.
  expect(found(of(0.1))).toEqual([]);
});

it('finds groups without variance and a constant reward', () => {
  const rows = (share: number, deviation: number): HealthRow[] =>
    steps(12, () => ({
      ...{ loss: 0, reward: 1, reward_std: deviation, frac_reward_zero_std: share },
      'objective/kl': 2,
    }));
  expect(found(rows(0.95, 0.3))).toMatchObject([
    { code: 'zero-variance-groups', severity: 'warning', step: 10, evidence: { steps: 10 } },
  ]);
  expect(found(rows(1, 0))).toMatchObject([
    { code: 'zero-variance-groups', severity: 'serious', step: 10 },
  ]);
  expect(found(rows(0.8, 0.3))).toEqual([]);
});

it('finds answers that are all cut off', () => {
  const rows = (share: number) =>
    steps(12, () => ({ loss: 0, reward: 1, 'completions/clipped_ratio': share }));
  expect(found(rows(1))).toMatchObject([{ code: 'all-cut-off', severity: 'serious', step: 5 }]);
  expect(found(rows(0.96))).toMatchObject([{ severity: 'warning', step: 10 }]);
  expect(found(rows(0.9))).toEqual([]);
});

it('finds a KL beyond the bound, and none without one', () => {
  const rows = steps(10, () => ({ loss: 0, reward: 1, 'objective/kl': 60 }));
  expect(found(rows)).toMatchObject([
    { code: 'kl-bound', severity: 'warning', step: 5, evidence: { now: 60, bound: 50 } },
  ]);
  expect(found(rows, { maxKl: 20 })).toMatchObject([{ severity: 'serious' }]);
  expect(found(rows, { maxKl: null })).toEqual([]);
});

it('finds gradients that are clipped by a large factor at every step', () => {
  const rows = (norm: number) => steps(25, (step) => ({ loss: 1 / step, grad_norm: norm }));
  expect(found(rows(300))).toMatchObject([{ code: 'gradients-clipped', step: 20 }]);
  expect(found(rows(300), { maxGradNorm: null })).toEqual([]);
  expect(found(rows(30))).toEqual([]);
});

describe('nothing learnt', () => {
  it('is found at the end, from held-out rows, training rows or the KL', () => {
    const held = [
      { step: 0, eval_loss: 0.6935 },
      ...steps(8, () => ({ loss: 0.6935 })),
      { step: 8, eval_loss: 0.6935 },
    ];
    expect(found(held)).toMatchObject([{ code: 'nothing-learnt', step: 8 }]);
    const noisy = steps(30, (step) => ({ loss: 2 + 0.1 * Math.sin(2 * step) }));
    expect(codes(found(noisy))).toEqual(['nothing-learnt']);
    const sampled = steps(8, (step) => ({ loss: 0, reward: step % 3, 'objective/kl': 1e-4 }));
    expect(codes(found(sampled))).toEqual(['nothing-learnt']);
  });

  it('is not found where the loss fell, or where an answer changed', () => {
    const falling = steps(30, (step) => ({ loss: 2 - step / 100 + 0.02 * Math.sin(2 * step) }));
    expect(found(falling)).toEqual([]);
    const monitor = new HealthMonitor(context);
    monitor.addAnswers(0, text(prose));
    for (const row of steps(30, () => ({ loss: 2 }))) monitor.addRow(row);
    monitor.addAnswers(30, text(`${prose} again`));
    expect(monitor.end()).toEqual([]);
  });
});

describe('answers', () => {
  const after = (before: string, now: readonly { prompt: string; text: string }[]): Finding[] => {
    const monitor = new HealthMonitor(context);
    monitor.addAnswers(0, text(before));
    return monitor.addAnswers(20, now);
  };
  const same = (words: string) => ['a', 'b', 'c', 'd'].map((prompt) => ({ prompt, text: words }));

  it.each([
    ['empty', () => ''],
    ['repeats itself', (at: number) => `${at} ${'set, '.repeat(20)}`],
    ['repeats itself', (at: number) => `${at}${'好的'.repeat(30)}`],
    ['is not text', (at: number) => `${at} ~~%%{{}}||^^##@@!!`],
  ])('that degenerate are found: %s', (fault, of) => {
    const findings = after(
      prose,
      same('').map((one, at) => ({ ...one, text: of(at) })),
    );
    expect(findings).toMatchObject([
      { code: 'degenerate-answers', severity: 'serious', step: 20, evidence: { degenerated: 4 } },
    ]);
    expect(findings[0]!.what).toContain(fault);
  });

  it('that are the same for different prompts are found, long ones as serious', () => {
    expect(after(prose, same('I am a helpful assistant by nature.'))).toMatchObject([
      { severity: 'serious', evidence: { prompts: 4, distinct: 1 } },
    ]);
    expect(after(prose, same('Yes.'))).toMatchObject([{ severity: 'warning' }]);
  });

  it('that mix the same few words are found', () => {
    const words = ['struggon', 'bonus', 'includon', 'tracker', 'enthuson', 'abbrevon', 'ambit'];
    const salad = [3, 4, 5, 6].map((stride) =>
      Array.from({ length: 12 }, (_, at) => words[(at * stride) % words.length]!).join(' '),
    );
    const sound = [
      'The human body is designed to move and adapt to gravity over several weeks',
      'The plural of octopus is octopuses, although octopodes appears sometimes',
      'Mass and weight are related but distinct concepts in modern physics',
      'Virginia never mentioned whether piano lessons would become expensive',
    ].map((text) => ({ prompt: text.slice(0, 9), text }));
    const monitor = new HealthMonitor(context);
    monitor.addAnswers(0, sound);
    const now = sound.map(({ prompt }, at) => ({ prompt, text: salad[at]! }));
    expect(monitor.addAnswers(9, now)).toMatchObject([
      { code: 'degenerate-answers', severity: 'serious', step: 9 },
    ]);
  });

  it('that were like that before, or differ in a few words, are not', () => {
    expect(after('set, '.repeat(20), text('set, '.repeat(20)))).toEqual([]);
    expect(after(prose, text(`${prose} indeed`))).toEqual([]);
    expect(
      after(
        prose,
        ['4', '11', '9', '20'].map((one) => ({ prompt: one, text: one })),
      ),
    ).toEqual([]);
  });
});

it('lists what it could check', () => {
  const monitor = new HealthMonitor({ ...context, maxKl: null });
  monitor.addRow({ step: 1, loss: 1, 'objective/kl': 1, reward: 1 });
  expect(monitor.health).toEqual({ checked: [], findings: [] });
  monitor.addRow({ step: 2, loss: 1, 'rewards/margins': 1, grad_norm: 1 });
  expect(monitor.health.checked.map(({ code }) => code)).toEqual([
    'exploding-margin',
    'gradients-clipped',
  ]);
});
