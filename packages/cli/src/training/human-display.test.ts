import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { HumanDisplay } from './human-display.ts';

/** A terminal of 100 columns that records what is written. */
function terminal(): { out: NodeJS.WriteStream; written(): string } {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  return { out: stream as unknown as NodeJS.WriteStream, written: () => text };
}

const metrics = {
  loss: 0.5,
  'rewards/margins': 1.25,
  'rewards/accuracies': 0.75,
  num_tokens: 640,
  tokens_per_second: 320,
};

test('a terminal gets a bar with loss, margin, accuracy, rate and time left; other lines stay whole', () => {
  const { out, written } = terminal();
  const display = new HumanDisplay(out);
  display.event({ type: 'start', step: 0, totalSteps: 4 });
  display.event({ type: 'step', step: 1, totalSteps: 4, metrics });
  display.event({ type: 'evaluation', step: 1, metrics: { eval_loss: 0.25 } });
  display.event({ type: 'step', step: 4, totalSteps: 4, metrics });
  display.close();
  expect(written()).toMatch(
    /█.* 100% {2}4\/4 {2}loss 0\.5000 {2}margin 1\.250 {2}accuracy 75% {2}0s left/,
  );
  expect(written()).toContain('\x1b[2Kheld-out rows after step 1:  loss 0.2500\n');
});

const samples = [0.25, 1, -2].map((reward) => ({
  ...{ step: 1, row: 0, prompt: 'Say hello.', completion: `hello ${reward}`, reward, kl: 0 },
  ...{ ended: true, tokens: 2 },
}));

test('on request a table of the best and the worst answers is printed above the bar', () => {
  for (const showSamples of [1, null]) {
    const { out, written } = terminal();
    const display = new HumanDisplay(out, { showSamples });
    display.event({ type: 'start', step: 0, totalSteps: 4 });
    display.event({ type: 'samples', step: 1, samples });
    display.event({ type: 'step', step: 1, totalSteps: 4, metrics });
    display.close();
    expect(written().includes('hello')).toBe(showSamples !== null);
    if (showSamples === null) continue;
    const [before, after] = written().split('the best 1 and the worst 1 of 3 answers\n');
    expect(before!.endsWith('\r\x1b[2Kstep 1: ')).toBe(true);
    expect(after).toMatch(
      /^ *reward +KL +prompt +answer\n +1\.000 +0\.000 +Say hello\. +hello 1\n/,
    );
    expect(after).toMatch(/-2\.000 +0\.000 +Say hello\. +hello -2\n\n/);
    // The bar is drawn again below.
    expect(after).toContain('hello -2\n\n\x1b7');
    expect(after).toMatch(/1\/4 {2}loss/);
  }
});

test('a notice whose code repeats is shown only now and then', () => {
  const { out, written } = terminal();
  const display = new HumanDisplay(out);
  for (const done of [4, 8, 12])
    display.event({ type: 'notice', text: `${done} of 16 rows`, code: 'progress' });
  display.event({ type: 'notice', text: 'something else' });
  expect(written()).toBe('4 of 16 rows\nsomething else\n');
});

test('waiting for the reward is part of the bar until something else happens', () => {
  const { out, written } = terminal();
  const display = new HumanDisplay(out);
  display.event({ type: 'start', step: 0, totalSteps: 4 });
  display.event({ type: 'waiting', for: 'reward', seconds: 12 });
  expect(written()).toMatch(/0\/4 {2}\S.*\(12 s\)/);
  const before = written().length;
  display.event({ type: 'step', step: 1, totalSteps: 4, metrics });
  display.close();
  expect(written().slice(before)).not.toContain('(12 s)');
});

test('a log has a line only for long waits', () => {
  const { out, written } = terminal();
  const display = new HumanDisplay(Object.assign(out, { isTTY: false }));
  for (const seconds of [2, 9, 10, 11]) {
    display.event({ type: 'waiting', for: 'reward', seconds });
  }
  expect(written()).toMatch(/^[^\n]*\(10 s\)\n$/);
});

test('the end says where the result is, or how to resume', () => {
  const { out, written } = terminal();
  const display = new HumanDisplay(out);
  const ending = {
    path: 'runs/a',
    final: 'runs/a/final',
    step: 7,
    seconds: 65,
    use: { name: 'chat', words: 'Try it', command: 'CHAT' } as const,
    resume: 'RESUME',
  };
  display.ended({ ...ending, interrupted: false });
  display.ended({ ...ending, interrupted: true });
  display.ended({ ...ending, step: 0, interrupted: true });
  expect(written()).toBe(
    '\n7 steps in 1m 05s. The result is in runs/a/final\nTry it: CHAT\n' +
      '\nStopped after step 7; its checkpoint is in runs/a.\nResume with:  RESUME\n' +
      '\nStopped before the first step.\nResume with:  RESUME\n',
  );
});
