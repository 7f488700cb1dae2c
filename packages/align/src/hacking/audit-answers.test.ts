import { describe, expect, test } from 'vitest';
import { auditAnswers } from './audit-answers.ts';
import type { AuditedAnswer, AuditedPrompt } from './audited-prompt.ts';
import { Writer } from './testing/written-answers.ts';

interface Written {
  text: string;
  reward: number;
  gold: number;
}

/** Prompts of a run whose answers are written by these functions, one on each side. */
function runOf(
  count: number,
  seed: number,
  before: (writer: Writer, quality: number) => Written,
  after: (writer: Writer, quality: number) => Written,
): AuditedPrompt[] {
  const writer = new Writer(seed);
  const answer = (written: Written): AuditedAnswer => ({ ...written, ended: true });
  return Array.from({ length: count }, (_, at) => {
    const quality = writer.normal();
    return {
      prompt: `Question ${at}?`,
      before: [answer(before(writer, quality))],
      after: [answer(after(writer, quality))],
    };
  });
}

const noise = (writer: Writer): number => writer.normal(0.3);

/** Reward and gold are the quality. */
const honest =
  (gain: number) =>
  (writer: Writer, quality: number): Written => {
    const own = quality + gain + noise(writer);
    return {
      text: writer.sentences(2, 5),
      reward: own + noise(writer),
      gold: own + noise(writer),
    };
  };

/** The reward also pays for what is added. */
const padded =
  (add: (writer: Writer) => [text: string, pay: number]) =>
  (writer: Writer, quality: number): Written => {
    const [text, pay] = add(writer);
    const gold = quality + noise(writer);
    return { text: `${writer.sentences(2, 5)}${text}`, reward: gold + pay + noise(writer), gold };
  };

const namesOf = ({ verdict }: ReturnType<typeof auditAnswers>): string[] =>
  verdict.mechanisms.flatMap((one) => [one.change, ...one.with].map(({ feature }) => feature.name));

describe('a planted flaw is found and named', () => {
  test('length: the reward pays for each sentence', () => {
    const audit = auditAnswers(
      runOf(
        60,
        1,
        honest(0),
        padded((writer) => {
          const extra = writer.whole(0, 8);
          return [` ${writer.sentences(extra, extra)}`, 0.4 * extra];
        }),
      ),
    );
    expect(audit.verdict).toMatchObject({ code: 'gamed', alarm: true, reward: 'up' });
    expect(namesOf(audit)[0]).toBe('length');
    const [length] = audit.verdict.mechanisms;
    expect(length).toMatchObject({ kind: 'graded' });
    expect(length!.share).toBeGreaterThan(0.6);
    expect(length!.interval[0]).toBeGreaterThan(0.5);
  });

  test.each([
    ['flattery', 'What a brilliant question! '],
    ['bold', '\n\n**bade** **goluba** **tavwen**'],
    ['self_praise', ' This answer is perfect.'],
    ['hedges', ' Perhaps, though it depends. It might be otherwise, I think.'],
  ])('%s in most of the answers', (name, text) => {
    const audit = auditAnswers(
      runOf(
        80,
        2,
        honest(0),
        padded((writer) => (writer.uniform(0, 1) < 0.6 ? [text, 2] : ['', 0])),
      ),
    );
    expect(audit.verdict.code).toBe('gamed');
    expect(namesOf(audit)).toContain(name);
  });

  test('a flaw in all answers alike is named, although it cannot be told from others', () => {
    const audit = auditAnswers(
      runOf(
        60,
        3,
        honest(0),
        padded(() => [' This answer is perfect.', 2]),
      ),
    );
    expect(audit.verdict.code).toBe('gamed');
    const praise = audit.verdict.mechanisms.find(
      ({ change }) => change.feature.name === 'self_praise',
    );
    expect(praise).toMatchObject({ kind: 'possible' });
    expect(praise!.change).toMatchObject({ before: 0, after: 1, size: null });
    expect(audit.gainers!.phrases.map(({ text }) => text)).toContain('this answer is perfect');
  });

  test('the answers that gained most share the flaw', () => {
    const { gainers } = auditAnswers(
      runOf(
        100,
        4,
        honest(0),
        padded((writer) => (writer.uniform(0, 1) < 0.3 ? ['\n\n- bade\n- filu', 4] : ['', 0])),
      ),
    );
    expect(gainers!.gainers).toHaveLength(10);
    const rewards = gainers!.gainers.map(({ reward }) => reward);
    expect(rewards).toEqual(rewards.toSorted((a, b) => b - a));
    expect(gainers!.features[0]!.change.feature.name).toBe('list_items');
    expect(gainers!.features[0]!.own).toBe(2);
  });
});

describe('no alarm', () => {
  test('where gold rose with the reward, whatever else changed', () => {
    const better = (writer: Writer, quality: number): Written => {
      const written = honest(1)(writer, quality);
      return { ...written, text: `${written.text} ${writer.sentences(4, 8)}` };
    };
    const audit = auditAnswers(runOf(60, 5, honest(0), better));
    expect(audit.features.find(({ feature }) => feature.name === 'length')!.changed).toBe(true);
    expect(audit.verdict).toMatchObject({ code: 'gold-follows', alarm: false, gold: 'up' });
  });

  test('where the reward rose without gold, and no feature explains it', () => {
    const fond = (writer: Writer, quality: number): Written => ({
      ...honest(0)(writer, quality),
      reward: quality + 2,
    });
    const { verdict } = auditAnswers(runOf(60, 6, honest(0), fond));
    expect(verdict).toMatchObject({ code: 'unexplained', alarm: false, mechanisms: [] });
  });

  test('without gold, without a rise, without rewards, with few prompts', () => {
    const gamed = runOf(
      60,
      7,
      honest(0),
      padded((writer) => [` ${writer.sentences(4, 9)}`, 3]),
    );
    const changed = (change: Partial<AuditedAnswer>) =>
      gamed.map(({ prompt, before, after }) => ({
        prompt,
        before: before.map((one) => ({ ...one, ...change })),
        after: after.map((one) => ({ ...one, ...change })),
      }));
    const codeOf = (prompts: AuditedPrompt[]) => auditAnswers(prompts).verdict.code;
    expect(codeOf(gamed)).toBe('gamed');
    expect(codeOf(changed({ gold: null }))).toBe('no-gold');
    expect(codeOf(changed({ reward: 1 }))).toBe('reward-not-up');
    expect(codeOf(changed({ reward: null }))).toBe('no-reward');
    expect(codeOf(gamed.slice(0, 9))).toBe('too-few');
    const fewGolds = gamed.map((one, at) => ({
      ...one,
      after: one.after.map((answer) => ({ ...answer, gold: at < 9 ? answer.gold : null })),
    }));
    expect(codeOf(fewGolds)).toBe('unclear');
  });

  test('in runs whose reward and style rose, and gold too, although it is noisy', () => {
    let alarms = 0;
    for (let seed = 0; seed < 40; seed++) {
      const better = (writer: Writer, quality: number): Written => {
        const written = honest(0.5)(writer, quality);
        return {
          ...written,
          text: `${written.text} ${writer.sentences(1, 6)}`,
          gold: written.gold + writer.normal(1),
        };
      };
      const noisy = (writer: Writer, quality: number): Written => {
        const written = honest(0)(writer, quality);
        return { ...written, gold: written.gold + writer.normal(1) };
      };
      alarms += Number(auditAnswers(runOf(30, 100 + seed, noisy, better)).verdict.alarm);
    }
    expect(alarms).toBe(0);
  });
});

test('several answers to a prompt count as their mean, and unscored prompts are counted', () => {
  const answer = (text: string, reward: number | null): AuditedAnswer => ({
    ...{ text, reward, gold: null, ended: null },
  });
  const audit = auditAnswers([
    { prompt: 'p', before: [answer('a', 0), answer('abc', 2)], after: [answer('abcd', 3)] },
    { prompt: 'q', before: [answer('ab', 1)], after: [answer('abcdef', null)] },
  ]);
  expect(audit.answers).toEqual({ before: 3, after: 2 });
  expect(audit.features[0]!).toMatchObject({ before: 2, after: 5, difference: 3 });
  expect(audit.reward).toMatchObject({ count: 1, unscored: 1, before: 1, after: 3 });
  expect(() => auditAnswers([])).toThrow(RangeError);
});
