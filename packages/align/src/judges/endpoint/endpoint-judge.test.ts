import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import type {
  AnswerRating,
  Judge,
  JudgedAnswer,
  JudgedPair,
  NoVerdict,
  PairVerdict,
} from '../judge.ts';
import { judgeKinds } from '../opening/judge-kinds.ts';
import { openJudgeOf } from '../opening/open-judge.ts';
import { type EndpointJudge, type EndpointJudgeSpec, openEndpointJudge } from './endpoint-judge.ts';
import { FakeClock } from './testing/fake-clock.ts';
import {
  type ChatRequest,
  openScriptedEndpoint,
  type Reply,
  type ScriptedEndpoint,
} from './testing/scripted-endpoint.ts';

const pair: JudgedPair = { prompt: 'Why?', answers: ['Because.', 'No idea.'], extra: {} };
const answer: JudgedAnswer = { prompt: 'Why?', answer: 'Because.', extra: {} };

function open(
  { url }: Pick<ScriptedEndpoint, 'url'>,
  spec: Partial<EndpointJudgeSpec> = {},
): { judge: EndpointJudge; notices: string[] } {
  const notices: string[] = [];
  const judge = openEndpointJudge(
    { model: 'm', base_url: url, ...spec },
    {
      ...{ clock: new FakeClock(), random: () => 0, environment: {} },
      notice: (_, code) => notices.push(code),
    },
  );
  return { judge, notices };
}

const verdictOf = (found: PairVerdict | NoVerdict): PairVerdict => {
  expect(found).not.toHaveProperty('failed');
  return found as PairVerdict;
};
const failureOf = (found: PairVerdict | AnswerRating | NoVerdict): NoVerdict => {
  expect(found).toHaveProperty('failed');
  return found as NoVerdict;
};
const ratingOf = (found: AnswerRating | NoVerdict): AnswerRating => {
  expect(found).not.toHaveProperty('failed');
  return found as AnswerRating;
};

const label = (token: string, top: Record<string, number>): Reply => ({
  tokens: [{ token, top }],
});

/** An endpoint that refuses a parameter by name, and else answers. */
const without =
  (names: readonly string[], reply: (request: ChatRequest) => Reply) =>
  (request: ChatRequest): Reply => {
    const name = names.find((one) => Object.hasOwn(request, one));
    return name === undefined ? reply(request) : { status: 400, body: { error: { param: name } } };
  };

const lastOf = ({ requests }: ScriptedEndpoint): ChatRequest => requests.at(-1)!;
const questionOf = (request: ChatRequest): string => request.messages.at(-1)!.content;

describe('a verdict from log-probabilities', () => {
  it('is normalised over the labels, with half of the tie', async () => {
    await using endpoint = await openScriptedEndpoint(() =>
      label('A', { A: 0.4, ' A': 0.1, B: 0.2, C: 0.1, The: 0.1 }),
    );
    const { judge } = open(endpoint, { prices: { prompt: 1, answer: 2 } });
    const found = verdictOf(await judge.compare(pair));
    expect(found.tie).toBeCloseTo(0.125, 12);
    expect(found.first).toBeCloseTo(0.625 + 0.0625, 12);
    expect(found.usage).toEqual({ promptTokens: 10, answerTokens: 2, cost: 14e-6 });
    const [exchange] = found.exchanges;
    expect(exchange!.said).toBe('A');
    expect(exchange!.asked).toEqual(lastOf(endpoint).messages);
    expect(exchange!.probabilities!.A).toBeCloseTo(0.5, 12);
    expect(lastOf(endpoint)).toMatchObject({ logprobs: true, top_logprobs: 20, max_tokens: 16 });
    const question = questionOf(lastOf(endpoint));
    for (const text of ['Why?', 'Because.', 'No idea.']) expect(question).toContain(text);
  });

  it('says so where the labels have little probability', async () => {
    await using endpoint = await openScriptedEndpoint(() =>
      label('Both', { Both: 0.8, A: 0.09, B: 0.03 }),
    );
    const { judge, notices } = open(endpoint);
    for (let index = 0; index < 2; index++) {
      const found = verdictOf(await judge.compare(pair));
      expect(found.first).toBeCloseTo(0.75, 12);
      expect(found.why).toBeUndefined();
      expect(found.exchanges[0]!.probabilities!.A).toBeCloseTo(0.09, 12);
    }
    expect(notices).toEqual(['labels-unlikely']);
  });

  it('is missing where no label is listed', async () => {
    await using endpoint = await openScriptedEndpoint(() => label('I', { I: 0.9, We: 0.1 }));
    const failure = failureOf(await open(endpoint).judge.compare(pair));
    expect(failure.failed).toContain('"I"');
    expect(failure.transient).toBe(false);
    expect(failure.exchanges).toHaveLength(1);
    expect(failure.usage.promptTokens).toBe(10);
  });

  it('has reasons before it if the judge gives some', async () => {
    await using endpoint = await openScriptedEndpoint(
      (): Reply => ({
        tokens: [
          { token: 'Shorter.\n', top: {} },
          { token: 'Verdict:', top: {} },
          { token: ' B', top: { ' B': 0.75, ' A': 0.25 } },
        ],
      }),
    );
    const { judge } = open(endpoint, { reasoning: true });
    const found = verdictOf(await judge.compare(pair));
    expect(found.first).toBeCloseTo(0.25, 12);
    expect(found.why).toBe('Shorter.');
    expect(lastOf(endpoint).max_tokens).toBe(1024);
  });

  it('gets more tokens from then on if the model thinks first', async () => {
    await using endpoint = await openScriptedEndpoint(
      ({ max_tokens }): Reply =>
        (max_tokens as number) < 100
          ? { tokens: [{ token: '<think>', top: {} }], finish: 'length' }
          : {
              tokens: [
                { token: '<think>', top: {} },
                { token: 'Hm.</think>\n\n', top: {} },
                { token: 'B', top: { B: 0.75, A: 0.25 } },
              ],
            },
    );
    const { judge } = open(endpoint);
    expect(verdictOf(await judge.compare(pair)).first).toBeCloseTo(0.25, 12);
    expect(verdictOf(await judge.compare(pair)).exchanges).toHaveLength(1);
    expect(endpoint.requests.map(({ max_tokens }) => max_tokens)).toEqual([16, 1024, 1024]);
  });

  it('without ties has two labels', async () => {
    await using endpoint = await openScriptedEndpoint(() => label('A', { A: 0.3, B: 0.1, C: 0.6 }));
    const found = verdictOf(await open(endpoint, { ties: false }).judge.compare(pair));
    expect(found.tie).toBe(0);
    expect(found.first).toBeCloseTo(0.75, 12);
  });
});

it('breaks the marks of chat templates, which a server would read as ends of turns', async () => {
  await using endpoint = await openScriptedEndpoint(() => label('A', { A: 1 }));
  const marks = ['<|im_end|>', '<|eot_id|>', '</s>', '<end_of_turn>', '[/INST]', '<</SYS>>'];
  const text = `Fine.${marks.join('')} a <b> [INS] | <s x>`;
  await open(endpoint).judge.compare({ ...pair, answers: [text, 'x'] });
  const question = questionOf(lastOf(endpoint));
  for (const mark of marks) expect(question).not.toContain(mark);
  expect(question).toContain('< |im_end|>< |eot_id|>< /s>< end_of_turn>[ /INST]< </SYS>>');
  expect(question).toContain(' a <b> [INS] | <s x>');
});

describe('a verdict without log-probabilities', () => {
  it('is structured output where a refusal names them', async () => {
    await using endpoint = await openScriptedEndpoint(
      without(['logprobs'], () => ({ text: '{"reason": "It explains.", "verdict": "A"}' })),
    );
    const { judge, notices } = open(endpoint, { reasoning: true });
    const found = verdictOf(await judge.compare(pair));
    expect(found).toMatchObject({ first: 1, tie: 0, why: 'It explains.' });
    expect(lastOf(endpoint).response_format).toMatchObject({
      type: 'json_schema',
      json_schema: {
        schema: {
          properties: { verdict: { enum: ['A', 'B', 'C'] } },
          required: ['reason', 'verdict'],
        },
      },
    });
    expect(questionOf(lastOf(endpoint))).toContain('JSON');
    expect(endpoint.requests).toHaveLength(2);
    await judge.compare(pair);
    expect(endpoint.requests).toHaveLength(3);
    expect(notices).toEqual(['endpoint-feature']);
  });

  it('is structured output where they are ignored', async () => {
    await using endpoint = await openScriptedEndpoint(({ response_format }) => ({
      text: response_format === undefined ? 'A' : '{"verdict": "C"}',
    }));
    const found = verdictOf(await open(endpoint).judge.compare(pair));
    expect(found).toMatchObject({ first: 0.5, tie: 1 });
    expect(found.exchanges.map(({ said }) => said)).toEqual(['{"verdict": "C"}']);
  });

  it('is the last line where the endpoint has neither', async () => {
    await using endpoint = await openScriptedEndpoint(
      without(['logprobs', 'response_format'], () => ({ text: 'Shorter.\n\nVerdict: B' })),
    );
    const { judge } = open(endpoint, { reasoning: true });
    expect(verdictOf(await judge.compare(pair))).toMatchObject({ first: 0, why: 'Shorter.' });
    expect(questionOf(lastOf(endpoint))).not.toContain('JSON');
    expect(endpoint.requests).toHaveLength(3);
  });

  it.each<[string, Reply, RegExp]>([
    ['I like both', { text: 'I like both' }, /I like both/],
    ['an empty reply', { text: '' }, /./],
    ['null content', { text: null }, /./],
    ['a refusal', { text: null, refusal: 'I cannot help.' }, /I cannot help/],
    ['a content filter', { text: '', finish: 'content_filter' }, /filter/],
    ['a reply that was cut off', { text: 'Well, A is', finish: 'length' }, /max_tokens.*1024/],
    ['two labels', { text: '[[A]] [[B]]' }, /\[\[A\]\] \[\[B\]\]/],
  ])('is missing, and counted: %s', async (_, reply, pattern) => {
    await using endpoint = await openScriptedEndpoint(() => reply);
    const { judge } = open(endpoint, { read: 'text' });
    const failure = failureOf(await judge.compare(pair));
    expect(failure.failed).toMatch(pattern);
    expect(failure).toMatchObject({ transient: false, usage: { promptTokens: 10 } });
    expect(failure.exchanges).toHaveLength(1);
  });

  it('is an error where the spec insists on what is not supported', async () => {
    await using endpoint = await openScriptedEndpoint(without(['logprobs'], () => ({ text: 'A' })));
    const work = open(endpoint, { read: 'logprobs' }).judge.compare(pair);
    await expect(work).rejects.toMatchObject({ code: 'unsupported', scope: 'endpoint' });
  });
});

describe('a rating', () => {
  it('is expected over the numbers of the scale', async () => {
    await using endpoint = await openScriptedEndpoint(() =>
      label('4', { 4: 0.5, 5: 0.25, 2: 0.25 }),
    );
    const { judge } = open(endpoint, { scale: '1-5' });
    const found = ratingOf(await judge.rate(answer));
    expect(found.score).toBeCloseTo(3.75, 12);
    expect(found.criteria).toBeUndefined();
  });

  const rubric = {
    criteria: [
      { name: 'Facts', description: 'It is true.', weight: 3 },
      { name: 'Tone', description: 'It is polite.', scale: '0-1' },
    ],
    scale: '1-5',
  };

  it('of a rubric has a score for each criterion, by log-probabilities', async () => {
    await using endpoint = await openScriptedEndpoint((request) =>
      questionOf(request).includes('It is true.')
        ? label('4', { 4: 0.5, 2: 0.5 })
        : label('1', { 1: 0.75, 0: 0.25 }),
    );
    const found = ratingOf(await open(endpoint, rubric).judge.rate(answer));
    expect(found.criteria!.Facts).toBeCloseTo(3, 12);
    expect(found.criteria!.Tone).toBeCloseTo(0.75, 12);
    // 3/4 of the rubric is half way up, the rest three quarters: 9/16 of the way from 1 to 5.
    expect(found.score).toBeCloseTo(1 + 4 * (9 / 16), 12);
    expect(found.exchanges).toHaveLength(2);
    expect(found.usage.promptTokens).toBe(20);
    expect(found.exchanges.map(({ probabilities }) => Object.keys(probabilities!).length)).toEqual([
      5, 2,
    ]);
  });

  it('of a rubric is one call by structured output', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({
      text: '{"reason": "Fine.", "criterion_1": 4, "criterion_2": 1}',
    }));
    const { judge } = open(endpoint, { ...rubric, read: 'structured', reasoning: true });
    const found = ratingOf(await judge.rate(answer));
    expect(found).toMatchObject({ criteria: { Facts: 4, Tone: 1 }, why: 'Fine.' });
    expect(endpoint.requests).toHaveLength(1);
    const question = questionOf(lastOf(endpoint));
    for (const text of ['It is true.', 'It is polite.', 'Because.']) {
      expect(question).toContain(text);
    }
    expect(lastOf(endpoint).response_format!.json_schema!.schema).toMatchObject({
      required: ['reason', 'criterion_1', 'criterion_2'],
    });
  });

  it.each([
    ['a criterion is missing', '{"criterion_1": 4}'],
    ['a score is off its scale', '{"criterion_1": 4, "criterion_2": 2}'],
    ['a score is no number', '{"criterion_1": "high", "criterion_2": 1}'],
    ['it is no JSON', 'Facts: 4, Tone: 1'],
  ])('of a rubric is missing where %s', async (_, text) => {
    await using endpoint = await openScriptedEndpoint(() => ({ text }));
    const { judge } = open(endpoint, { ...rubric, read: 'structured' });
    expect(failureOf(await judge.rate(answer)).failed).toContain(text);
  });

  it('of a rubric is missing if one criterion has none, which it names', async () => {
    await using endpoint = await openScriptedEndpoint((request) => ({
      text: questionOf(request).includes('It is true.') ? '4' : 'quite polite',
    }));
    const failure = failureOf(await open(endpoint, { ...rubric, read: 'text' }).judge.rate(answer));
    expect(failure.failed).toMatch(/Tone.*quite polite/);
    expect(failure.exchanges).toHaveLength(2);
  });
});

describe('an endpoint that fails', () => {
  it('is no verdict for one question, which may be asked again', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 500 }));
    const failure = failureOf(await open(endpoint, { retries: 1 }).judge.compare(pair));
    expect(failure).toMatchObject({ transient: true, exchanges: [] });
    expect(failure.failed).toContain('500');
  });

  it('is no verdict where the prompt is too long', async () => {
    const body = { error: { code: 'context_length_exceeded', message: 'x' } };
    await using endpoint = await openScriptedEndpoint(() => ({ status: 400, body }));
    const failure = failureOf(await open(endpoint).judge.compare(pair));
    expect(failure).toMatchObject({ transient: false, exchanges: [] });
  });

  it('is an error where no question can be asked', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 401 }));
    await expect(open(endpoint).judge.compare(pair)).rejects.toMatchObject({
      ...{ name: 'EndpointError', code: 'unauthorised' },
    });
  });

  it('is an error where the budget is used up', async () => {
    await using endpoint = await openScriptedEndpoint(() => label('A', { A: 1 }));
    const { judge } = open(endpoint, { budget: { tokens: 10 } });
    await expect(judge.compare(pair)).rejects.toMatchObject({ name: 'BudgetError' });
    expect(endpoint.requests).toEqual([]);
  });
});

describe('the identity of a judge', () => {
  const identity = (
    spec: Partial<EndpointJudgeSpec>,
    environment: NodeJS.ProcessEnv = {},
  ): string =>
    openEndpointJudge({ model: 'm', base_url: 'http://h/v1', ...spec }, { environment }).identity;

  it('is that of everything that verdicts depend on', () => {
    const all = [
      {},
      { model: 'n' },
      { base_url: 'http://h/v2' },
      { temperature: 1 },
      { seed: 1 },
      { max_tokens: 5 },
      { extra_body: { top_k: 1 } },
      { read: 'text' as const },
      { instructions: 'Prefer short ones.' },
      { labels: ['X', 'Y', 'Z'] as [string, string, string] },
      { scale: '1-5' },
      { ties: false },
      { criteria: [{ name: 'a', description: 'b' }] },
      { criteria: [{ name: 'a', description: 'b', weight: 2 }] },
      { reasoning: true },
      { examples: [{ prompt: 'p', answer: 'a', score: 3 }] },
    ];
    expect(new Set(all.map((spec) => identity(spec))).size).toBe(all.length);
  });

  it('contains no key, and does not depend on it, on limits or on prices', () => {
    const keyed = { api_key_env: 'KEY', timeout: 3, retries: 0, concurrency: 1, name: 'other' };
    const found = identity(
      { ...keyed, prices: { prompt: 1, answer: 1 }, budget: { money: 1 } },
      { KEY: 'sk-0123456789' },
    );
    expect(found).toBe(identity({}));
    expect(found).not.toContain('sk-0123456789');
  });
});

describe('a spec file', () => {
  const read = (text: string): Promise<Judge> => {
    const folder = mkdtempSync(join(tmpdir(), 'keel-endpoint-'));
    try {
      writeFileSync(join(folder, 'judge.yaml'), `type: endpoint\nmodel: m\n${text}`);
      const options = { environment: { OPENAI_API_KEY: 'sk-0123456789' } };
      return openJudgeOf(judgeKinds, join(folder, 'judge.yaml'), options);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('is opened with all of its keys', async () => {
    await using judge = await read(`base_url: http://127.0.0.1:8000/v1
prices: {prompt: 0.15, answer: 0.6}
budget: {money: 2}
extra_body: {chat_template_kwargs: {enable_thinking: false}, top_k: 1}
read: structured
concurrency: 3
scale: 1-5
`);
    expect(judge).toMatchObject({ name: 'endpoint:m', concurrency: 3 });
    expect(JSON.parse(judge.identity)).toMatchObject({
      ...{ endpoint: 'http://127.0.0.1:8000/v1', read: 'structured' },
      extra_body: { chat_template_kwargs: { enable_thinking: false }, top_k: 1 },
    });
  });

  it.each([
    ['api_key_env: sk-very-secret-0123456789', /judge\.yaml:3:1: api_key_env/],
    ['base_url: http://me:very-secret@host/v1', /judge\.yaml:3:1: base_url/],
    ['base_url: host:8000', /judge\.yaml:3:1: base_url.*host:8000/],
    ['budget: {money: 1}', /judge\.yaml:3:10: money.*prices/],
    ['extra_body: {stream: true}', /judge\.yaml:3:1: extra_body.*stream/],
    ['read: words', /judge\.yaml:3:1: read.*"words"/],
  ])('is refused with its place, and without keys: %s', async (text, pattern) => {
    const error = await read(text).catch((reason: Error) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(pattern);
    expect((error as Error).message).not.toContain('very-secret');
  });
});
