import { expect, test } from 'vitest';
import { plainSamples, samplesTable } from './samples-table.ts';

const sample = (reward: number, completion: string, kl: number | null = 0.25) => ({
  prompt: [
    { role: 'system' as const, content: 'Be brief.' },
    { role: 'user' as const, content: `Which river flows through the city number ${reward}?` },
  ],
  completion,
  reward,
  kl,
});
const samples = [
  sample(0.5, 'middle'),
  sample(2, 'The best\nanswer, in\ttwo lines.'),
  sample(-12.5, 'The worst answer. '.repeat(9), null),
  sample(1, 'good'),
  sample(-3, '\x1b[2J\x07bad'),
];

test('the best come first and the worst last, shortened to the width of the terminal', () => {
  expect(samplesTable(9, samples, 2, 72)).toBe(
    [
      'step 9: the best 2 and the worst 2 of 5 answers',
      '  reward      KL  prompt              answer',
      '   2.000   0.250  Which river flows…  The best answer, in two lines.',
      '   1.000   0.250  Which river flows…  good',
      ' ·······',
      '  -3.000   0.250  Which river flows…  [2Jbad',
      ' -12.500       -  Which river flows…  The worst answer. The worst answe…',
    ].join('\n'),
  );
});

test.each([33, 50, 72, 100, 240])('no line is wider than %d columns', (columns) => {
  const wide = [
    ...samples,
    sample(3, '東京の川は隅田川です。'.repeat(20)),
    sample(4, '👩‍👩‍👧 🎉'.repeat(60)),
  ];
  const lines = samplesTable(1, wide, 3, columns).split('\n');
  const width = (line: string): number =>
    [...new Intl.Segmenter().segment(line)].reduce(
      (sum, { segment }) => sum + (/[\u3000-\u9fff]|\p{Emoji_Presentation}/u.test(segment) ? 2 : 1),
      0,
    );
  for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(columns);
  expect(lines[2]).toContain('👩‍👩‍👧');
  expect(lines.some((line) => line.includes('prompt'))).toBe(columns >= 50);
});

test('few answers are shown once each', () => {
  const lines = samplesTable(1, samples.slice(0, 3), 4, 80).split('\n');
  expect(lines[0]).toBe('step 1: all 3 answers, best first');
  expect(lines).toHaveLength(6);
  expect(samplesTable(1, samples.slice(0, 1), 4, 80).split('\n')).toHaveLength(3);
});

test('logs have plain lines', () => {
  expect(plainSamples(4, samples, 1)).toBe(
    'step 4: the best 1 and the worst 1 of 5 answers\n' +
      'best   reward 2.000  KL 0.250  prompt: Which river flows through the city number 2?  answer: The best answer, in two lines.\n' +
      `worst  reward -12.500  KL -  prompt: Which river flows through the city number -12.5?  answer: ${'The worst answer. '.repeat(6)}The worst a…`,
  );
});
