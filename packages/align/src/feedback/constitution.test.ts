import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import { critiqueRequest, NOTHING_TO_CHANGE } from './constitution.ts';
import { ownConstitutionFile, readConstitution, readExamples } from './read-constitution.ts';
import { parseTranscript } from './transcript.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-constitution-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | object): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

describe('constitutions', () => {
  it('of Keel has 16 principles for critics and judges, and whole examples', () => {
    const { name, critiques, preferences, examples } = readConstitution(ownConstitutionFile);
    expect(name).toBe('keel');
    expect(critiques).toHaveLength(16);
    expect(preferences).toHaveLength(16);
    for (const example of examples) {
      expect(example.map(({ role }) => role)).toEqual(
        example.map((_, index) => (index % 2 === 0 ? 'user' : 'assistant')),
      );
      expect(example[2]!.content).toMatch(/\.$/);
    }
    const short = examples.filter(({ length }) => length === 4);
    expect(short.map((example) => example[3]!.content)).toEqual([NOTHING_TO_CHANGE]);
  });

  it('of the paper have requests without headings', () => {
    const path = file('paper.json', {
      kind0: {
        prompt: [
          '\n\nCritiqueRequest: Is it kind?\n\nCritique:',
          '\n\nCritiqueRequest: Why?\n\nCritique:',
        ],
        edit_request: '\n\nRevisionRequest: Be kind.\n\nRevision:',
      },
    });
    const { critiques, preferences, version } = readConstitution(path);
    expect(critiques).toEqual([
      { id: 'kind0', critique: 'Is it kind?', revision: 'Be kind.' },
      { id: 'kind0.2', critique: 'Why?', revision: 'Be kind.' },
    ]);
    expect(preferences).toEqual([]);
    expect(version).toMatch(/^[0-9a-f]{12}$/);
  });

  it('of the paper for comparisons are a list of questions', () => {
    const path = file('judging.json', ['\nWhich is kinder? Options:', 'Which is safer?']);
    expect(readConstitution(path).preferences).toEqual([
      { id: 'preference-1', preference: 'Which is kinder?' },
      { id: 'preference-2', preference: 'Which is safer?' },
    ]);
  });

  it('of the handbook have its principles and its chats as examples', () => {
    const chat = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
    ];
    const path = file('handbook.json', {
      constitutions: [{ critic: 'Is it kind?', revision: 'Be kind.' }],
      system_chat: [chat],
    });
    const { critiques, examples } = readConstitution(path);
    expect(critiques).toEqual([
      { id: 'principle-1', critique: 'Is it kind?', revision: 'Be kind.' },
    ]);
    expect(examples).toEqual([chat]);
  });

  it.each([
    [
      'unknown.yaml',
      'name: x\nversion: 1\nprinciples:\n  - id: a\n    critic: b\n',
      /unknown\.yaml:5:5.*"critic".*"critique"/s,
    ],
    [
      'half.yaml',
      'name: x\nversion: 1\nprinciples:\n  - id: a\n    critique: b\n',
      /half\.yaml:4:\d+.*"revision"/s,
    ],
    ['no-version.yaml', 'name: x\nprinciples: [{id: a, preference: b}]\n', /version.*number/s],
    [
      'twice.yaml',
      'name: x\nversion: 1\nprinciples:\n  - {id: a, preference: b}\n  - {id: a, preference: c}\n',
      /twice\.yaml:5:\d+.*"a"/s,
    ],
    [
      'example.yaml',
      'name: x\nversion: 1\nprinciples: [{id: a, preference: b}]\nexamples: [{prompt: p, answer: q, principle: a, critique: c}]\n',
      /example\.yaml:4:\d+.*"a"/s,
    ],
    ['empty.json', '[]', /empty\.json/],
    ['numbers.json', '["a", 3]', /numbers\.json.* 2/],
    ['broken.json', '{', /broken\.json.*JSON/],
    ['paper-fault.json', '{"a": {"prompt": []}}', /paper-fault\.json: a\./],
  ])('name the place of a fault in %s', (name, content, expected) => {
    const path = file(name, content);
    expect(() => readConstitution(path)).toThrow(ConfigError);
    expect(() => readConstitution(path)).toThrow(expected);
  });

  it('that do not exist are named', () => {
    expect(() => readConstitution(join(folder, 'none.yaml'))).toThrow(/none\.yaml/);
    expect(() => readConstitution(join(folder, 'none.json'))).toThrow(/none\.json/);
  });
});

describe('examples', () => {
  const transcript =
    '\n\nHuman: Hi?\n\nAssistant: Hello.\n\nCritiqueRequest: Kind?\n\nCritique: Yes.\n\nMore.\n\nHuman:';

  it('are read from transcripts, or from lists of messages', () => {
    const messages = [
      { role: 'user', content: 'Hi?' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'Kind?' },
      { role: 'assistant', content: 'Yes.\n\nMore.' },
    ];
    expect(parseTranscript(transcript)).toEqual(messages);
    const path = file('examples.json', [transcript, messages]);
    expect(readExamples(path)).toEqual([messages, messages]);
  });

  it.each([
    'Hello',
    '\n\nAssistant: Hi.',
    '\n\nHuman: Hi\n\nHuman: Hi',
  ])('name a bad one: %j', (bad) => {
    const path = file('bad.json', [transcript, bad]);
    expect(() => readExamples(path)).toThrow(/bad\.json.* 2/);
  });

  it('end requests with the way to say that nothing is wrong', () => {
    expect(critiqueRequest('Is it kind?')).toContain(NOTHING_TO_CHANGE);
  });
});
