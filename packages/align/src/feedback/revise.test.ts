import { describe, expect, it } from 'vitest';
import type { Constitution } from './constitution.ts';
import { drawWithoutRepetition } from './draw.ts';
import { PROMPT_VERSION, type RevisionParts, reviseChunk } from './revise.ts';
import type { Conversation, Said, Speaker } from './speaker.ts';

const critiques = ['kind', 'safe', 'true'].map((id) => ({
  id,
  critique: `Is it ${id}?`,
  revision: `Make it ${id}.`,
}));
const example = [
  { role: 'user', content: 'An example question?' },
  { role: 'assistant', content: 'An example answer that nobody would write by chance at all.' },
  { role: 'user', content: 'Is it kind?' },
  { role: 'assistant', content: 'This critique belongs to the example and to nothing else here.' },
];
const constitution: Constitution = {
  ...{ name: 'test', version: '7', critiques, preferences: [] },
  examples: [example],
};

/** A speaker that says what a function of the last message and the turn says. */
class Scripted implements Speaker {
  readonly identity = 'scripted';
  readonly asked: Conversation[] = [];
  readonly seeds: number[] = [];
  readonly name: string;
  readonly #script: (conversation: Conversation) => Partial<Said>;

  constructor(name: string, script: (conversation: Conversation) => Partial<Said>) {
    this.name = name;
    this.#script = script;
  }

  async say(conversations: readonly Conversation[], { seed }: { seed: number }): Promise<Said[]> {
    this.asked.push(...conversations);
    this.seeds.push(seed);
    return conversations.map((one) => ({ text: '', ended: true, ...this.#script(one) }));
  }
}

const last = ({ messages }: Conversation): string => messages.at(-1)!.content ?? '';
const policy = () => new Scripted('policy', (one) => ({ text: `Answer to ${last(one)}` }));
const critic = () =>
  new Scripted('critic', (one) => ({ text: `It lacks what was asked for: ${last(one)}` }));
const reviser = () =>
  new Scripted('reviser', (one) => ({ text: `Sure! Here it is: ${last(one)}` }));
const parts = (own: Partial<RevisionParts> = {}): RevisionParts => ({
  ...{ policy: policy(), critic: critic(), reviser: reviser() },
  ...{ constitution, rounds: 2, fewShot: true, seed: 1 },
  ...own,
});
const prompt = (row: number, text = `question ${row}`) => ({
  row,
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: text },
  ],
});
const run = (own?: Partial<RevisionParts>, prompts = [prompt(0), prompt(1)], chunk = 0) =>
  reviseChunk(prompts, parts(own), { chunk });

describe('critique and revision', () => {
  it('answers, criticises and revises, and records who said what', async () => {
    const asked = { critic: critic(), reviser: reviser() };
    const [first] = (await run(asked))!;
    const [one, two] = first!.rounds;
    expect(first).toMatchObject({
      ...{ row: 0, answer: 'Answer to question 0', policy: 'policy', constitution: 'test 7' },
      ...{ prompt_version: PROMPT_VERSION, final: two!.revision, prompt: prompt(0).messages },
    });
    expect(one).toMatchObject({ outcome: 'revised', critic: 'critic', reviser: 'reviser' });
    // The opening of the reviser is cut.
    expect(one!.revision).toBe(one!.revision_request);
    expect(one!.principle).not.toBe(two!.principle);
    // System message first, then examples, then the conversation so far.
    const { messages } = asked.reviser.asked[0]!;
    expect(messages.map(({ content }) => content)).toEqual([
      'Be brief.',
      ...example.map(({ content }) => content),
      'question 0',
      'Answer to question 0',
      one!.critique_request,
      one!.critique,
      one!.revision_request,
    ]);
    // The second round is about the first revision.
    expect(asked.critic.asked[2]!.messages.at(-2)!.content).toBe(one!.revision);
  });

  it('leaves examples out if asked to', async () => {
    const asked = critic();
    await run({ critic: asked, fewShot: false });
    expect(asked.asked[0]!.messages).toHaveLength(4);
  });

  it('does not ask for a revision where nothing is to change', async () => {
    const asked = reviser();
    const content = new Scripted('critic', () => ({ text: 'Nothing to change.' }));
    const [one] = (await run({ critic: content, reviser: asked }))!;
    expect(one!.rounds.map(({ outcome }) => outcome)).toEqual(Array(2).fill('nothing to change'));
    expect(one!.final).toBe(one!.answer);
    expect(one!.rounds[0]).not.toHaveProperty('revision');
    expect(asked.asked).toEqual([]);
  });

  it.each([
    ['empty', { text: ' ' }],
    ['repeats itself', { text: 'It is bad, bad. '.repeat(20) }],
    ['copies an example', { text: example[3]!.content }],
    ['too long', { failed: 'too long' }],
  ])('drops a critique that is not one: %s', async (dropped, said) => {
    const bad = new Scripted('critic', () => said);
    const [one] = (await run({ critic: bad, rounds: 1 }))!;
    expect(one!.rounds[0]).toMatchObject({ outcome: 'no critique', dropped });
    expect(one!.final).toBe(one!.answer);
  });

  it.each([
    ['was cut off', { text: 'A better answer that', ended: false }],
    ['copies the answer', { text: 'Answer to question 0' }],
    ['refused', { failed: 'refused' }],
  ])('drops a revision that is not one, and stays with the answer: %s', async (dropped, said) => {
    const bad = new Scripted('reviser', () => said);
    const [one] = (await run({ reviser: bad, rounds: 1 }, [prompt(0)]))!;
    expect(one!.rounds[0]).toMatchObject({ outcome: 'no revision', dropped });
    expect(one!.final).toBe('Answer to question 0');
  });

  it('does not criticise what was not answered', async () => {
    const asked = critic();
    const silent = new Scripted('policy', (one) =>
      last(one).endsWith('0') ? { text: '' } : { text: 'Answer' },
    );
    const [none, other] = (await run({ policy: silent, critic: asked, rounds: 1 }))!;
    expect(none).toMatchObject({ failed: expect.stringContaining('empty'), rounds: [] });
    expect(other!.rounds).toHaveLength(1);
    expect(asked.asked).toHaveLength(1);
  });

  it('has the same draws for a chunk, and others for another', async () => {
    const seedsOf = async (chunk: number): Promise<number[]> => {
      const asked = critic();
      await run({ critic: asked }, [prompt(0)], chunk);
      return asked.seeds;
    };
    const first = await seedsOf(3);
    expect(await seedsOf(3)).toEqual(first);
    expect(new Set([...first, ...(await seedsOf(4))]).size).toBe(4);
  });

  it('stops where a speaker was stopped', async () => {
    const stopped: Speaker = { ...reviser(), name: 'x', identity: 'x', say: async () => null };
    for (const name of ['policy', 'critic', 'reviser']) {
      expect(await run({ [name]: stopped })).toBe(null);
    }
  });
});

describe('principles', () => {
  it('are drawn by seed and row, without repetition while there are enough', () => {
    const draw = (seed: number, row: number) =>
      drawWithoutRepetition([0, 1, 2, 3], { seed, row, rounds: 4 });
    expect(draw(1, 5)).toEqual(draw(1, 5));
    for (let row = 0; row < 20; row++) expect([...draw(1, row)].sort()).toEqual([0, 1, 2, 3]);
    const firsts = Array.from({ length: 400 }, (_, row) => draw(1, row)[0]!);
    for (const one of [0, 1, 2, 3]) {
      const count = firsts.filter((first) => first === one).length;
      expect(count).toBeGreaterThan(70);
      expect(count).toBeLessThan(130);
    }
    expect(drawWithoutRepetition(['a'], { seed: 1, row: 0, rounds: 3 })).toEqual(['a', 'a', 'a']);
  });
});
