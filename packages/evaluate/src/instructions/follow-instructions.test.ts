import { readFileSync } from 'node:fs';
import { ConfigError } from '@keel/align/config';
import { isInLanguage } from '@keel/align/hacking';
import { describe, expect, test } from 'vitest';
import { followsLoosely, followsStrictly, readInstructions } from './follow-instructions.ts';
import { instructionKinds } from './instruction-kinds.ts';

interface Golden {
  id: string;
  kwargs: object;
  answer: string;
  strict: boolean;
  loose: boolean;
}

const golden = readFileSync(
  new URL('../../../../test/golden/evaluation/ifeval.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Golden);

const byId = Map.groupBy(golden, ({ id }) => id);

test.each([...byId])("%s: the verdicts of IFEval's own program", (_, rows) => {
  expect(rows.filter(({ loose }) => loose).length).toBeGreaterThanOrEqual(12);
  for (const { id, kwargs, answer, strict, loose } of rows) {
    // No language can be told from so few letters, and both programs guess.
    if (id.startsWith('change_case:english') && answer.length < 40) continue;
    const [instruction] = readInstructions([id], [kwargs]);
    const found = [followsStrictly(answer, instruction!), followsLoosely(answer, instruction!)];
    expect(found, JSON.stringify({ kwargs, answer })).toEqual([strict, loose]);
  }
});

const follows = (id: string, kwargs: object, answer: string): boolean =>
  followsStrictly(answer, readInstructions([id], [kwargs])[0]!);

describe('kinds that are not in the golden file', () => {
  test('sentences', () => {
    const exactly = (answer: string, count: number): void => {
      const id = 'length_constraints:number_sentences';
      expect(follows(id, { num_sentences: count, relation: 'at least' }, answer)).toBe(true);
      expect(follows(id, { num_sentences: count + 1, relation: 'less than' }, answer)).toBe(true);
    };
    exactly('One. Two! Three?', 3);
    exactly('Dr. Smith paid 3.50 to Mr. Lee. He left.', 2);
    exactly('A heading\n\nText without a full stop', 2);
    exactly('He said "Stop!" and left. "Why?" she asked.', 2);
    exactly('一。二。三。', 3);
  });

  test('words in capitals', () => {
    const id = 'change_case:capital_word_frequency';
    const three = { capital_frequency: 3, capital_relation: 'at least' };
    expect(follows(id, three, 'NASA and ESA say NO.')).toBe(true);
    expect(follows(id, three, 'Nasa and ESA say NO.')).toBe(false);
  });

  test.each([
    ['de', 'Die Katze sitzt auf dem Dach und schaut den Vögeln im Garten zu.'],
    ['fr', 'Le chat est assis sur le toit et regarde les oiseaux dans le jardin.'],
    ['it', 'Il gatto è seduto sul tetto e guarda gli uccelli che cercano i vermi.'],
    ['ru', 'Кошка сидит на крыше и смотрит на птиц, которые ищут червей в саду.'],
    ['uk', 'Кіт сидить на даху і дивиться на птахів, які шукають хробаків у саду.'],
    ['ja', '猫は屋根の上に座って、庭で虫を探している鳥を見ています。'],
    ['zh', '猫坐在屋顶上，看着在花园里找虫子的鸟。'],
    ['fa', 'گربه روی بام نشسته است و پرندگانی را که در باغ هستند تماشا می‌کند.'],
    ['ne', 'बिरालो छानामा बसेको छ र बगैंचामा किरा खोज्ने चराहरू हेरिरहेको छ।'],
  ])('language %s', (language, answer) => {
    const id = 'language:response_language';
    expect(follows(id, { language }, answer)).toBe(true);
    for (const other of ['en', 'th', 'ko'].filter((one) => one !== language)) {
      expect(isInLanguage(answer, other), other).toBe(false);
    }
  });
});

test('an empty answer follows nothing', () => {
  const [instruction] = readInstructions(['punctuation:no_comma'], [{}]);
  expect(followsStrictly(' \n', instruction!)).toBe(false);
  expect(followsLoosely(' \n', instruction!)).toBe(false);
});

test('parameters may be null, as the rows of IFEval have them', () => {
  const kwargs = [{ num_words: null, keywords: ['a'], relation: null }];
  expect(readInstructions(['keywords:existence'], kwargs)).toEqual([
    { id: 'keywords:existence', parameters: { keywords: ['a'] } },
  ]);
});

test.each([
  ['an unknown id', ['keywords:existance'], [{}], /"keywords:existance".*"keywords:existence"/s],
  ['a name of objects', ['constructor'], [{}], /"constructor"/],
  ['no ids', undefined, undefined, /^instruction_id_list/],
  ['too few kwargs', ['punctuation:no_comma', 'startend:quotation'], [{}], /^kwargs.*2.*1/s],
  ['a missing parameter', ['keywords:existence'], [{}], /keywords:existence.*keywords/],
  [
    'an unknown parameter',
    ['startend:quotation'],
    [{ end_phrase: 'x' }],
    /startend:quotation.*end_phrase/,
  ],
  [
    'an unknown relation',
    ['length_constraints:number_words'],
    [{ num_words: 3, relation: 'exactly' }],
    /number_words.*relation/,
  ],
  ['an unknown language', ['language:response_language'], [{ language: 'tlh' }], /"tlh"/],
])('%s is named', (_, ids, kwargs, message) => {
  expect(() => readInstructions(ids, kwargs)).toThrow(ConfigError);
  expect(() => readInstructions(ids, kwargs)).toThrow(message);
});

test('there are 25 kinds', () => {
  expect(Object.keys(instructionKinds)).toHaveLength(25);
});
