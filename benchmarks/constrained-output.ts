// Constrained output: whether every answer is valid, and what the masks cost.
//
//   node benchmarks/constrained-output.ts [--schemas 1000] [--uniform 3] [--model-answers 1]
//     [--only validity|cost]
//
// Validity: random JSON schemas over every enforced keyword. Each answer is parsed, and checked by
// ajv, which knows nothing of how it was made. Answers are sampled from the default model at
// temperature 1, and uniformly from the allowed tokens, which also draws what no model would write.
// Cost: the time in which masks are found and applied, as a share of the decoding steps.
import { parseArgs } from 'node:util';
import {
  type Constraint,
  ConstraintError,
  cachedDefaultModel,
  compileConstraint,
  generateAll,
  loadModel,
  type TokenConstraint,
} from '@keel/model';
import { BatchInFlight, checkOptions } from '@keel/model/internal';
import { fromTypedArray, ops, threads, tidy } from '@keel/torch';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { default as addFormats } from 'ajv-formats';
import {
  randomSchema,
  seededRandom,
} from '../packages/model/src/constraints/testing/random-schema.ts';
import { sampleUniformly } from '../packages/model/src/constraints/testing/sample-uniformly.ts';

const { values } = parseArgs({
  options: {
    schemas: { type: 'string', default: '1000' },
    uniform: { type: 'string', default: '3' },
    'model-answers': { type: 'string', default: '1' },
    limit: { type: 'string', default: '300' },
    only: { type: 'string' },
  },
});
const limit = Number(values.limit);
const model = await loadModel((await cachedDefaultModel())!);
const { tokenizer, decoder } = model;
const { vocabularySize } = decoder.config;
const stopTokenIds = [...tokenizer.endOfTurnIds];
const compile = (constraint: Constraint): Promise<TokenConstraint> =>
  compileConstraint(tokenizer, constraint, { vocabularySize, stopTokenIds });
const promptOf = (text: string): number[] =>
  tokenizer.encode(
    tokenizer.chatTemplate!.render([{ role: 'user', content: text }], {
      addGenerationPrompt: true,
    }),
  );
const shown = (number: number, digits = 2): string => number.toFixed(digits);
const quantile = (numbers: readonly number[], share: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(share * (numbers.length - 1))]!;

if (values.only !== 'cost') await checkValidity();
if (values.only !== 'validity') await measureCost();
model.dispose();

interface Case {
  schema: ReturnType<typeof randomSchema>;
  constraint: TokenConstraint;
  validate: (value: unknown) => boolean;
}

async function checkValidity(): Promise<void> {
  const cases: Case[] = [];
  const times: number[] = [];
  let refused = 0;
  for (let seed = 0; cases.length < Number(values.schemas); seed++) {
    const schema = randomSchema(seededRandom(seed));
    const ajv = new Ajv2020({ strict: false, logger: false });
    addFormats.default(ajv);
    const validate = ajv.compile(schema as object);
    const start = performance.now();
    try {
      const constraint = await compile({ kind: 'json-schema', schema });
      times.push(performance.now() - start);
      cases.push({ schema, constraint, validate });
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      refused += 1;
    }
  }
  console.log(
    `${cases.length} schemas, and ${refused} that no value matches; compiled in ${shown(quantile(times, 0.5), 1)} ms (median), ${shown(quantile(times, 0.95), 1)} ms (95%), ${shown(Math.max(...times), 0)} ms (most)`,
  );
  const uniform = { answers: 0, valid: 0, tokens: 0 };
  const sampled = { answers: 0, valid: 0, tokens: 0 };
  const check = (
    counts: typeof uniform,
    one: Case,
    answer: { text: string; tokens: number },
  ): void => {
    counts.answers += 1;
    counts.tokens += answer.tokens;
    if (isValid(one, answer.text)) counts.valid += 1;
    else console.log(`not valid: ${JSON.stringify(one.schema)}\n  ${answer.text}`);
  };
  for (const [index, one] of cases.entries()) {
    for (let repeat = 0; repeat < Number(values.uniform); repeat++) {
      const random = seededRandom(1_000_003 * repeat + index);
      const drawn = sampleUniformly(one.constraint, new Set(stopTokenIds), random, limit) ?? [];
      check(uniform, one, { text: tokenizer.decode(drawn), tokens: drawn.length });
    }
  }
  if (uniform.answers > 0) report('uniform over the allowed tokens', uniform);
  const samplesPerPrompt = Number(values['model-answers']);
  if (samplesPerPrompt === 0) return;
  const prompts = cases.map(({ schema }) =>
    promptOf(`Write JSON for this schema: ${JSON.stringify(schema).slice(0, 300)}`),
  );
  const results = await generateAll(model, prompts, {
    ...{ temperature: 1, samplesPerPrompt, batchSize: 32, maxNewTokens: limit },
    ...{ promptConstraints: cases.map(({ constraint }) => constraint), completeConstraint: true },
  });
  for (const { promptIndex, text, tokens } of results) {
    check(sampled, cases[promptIndex]!, { text, tokens: tokens.length });
  }
  report('the model at temperature 1', sampled);
}

function isValid({ validate }: Case, text: string): boolean {
  try {
    return validate(JSON.parse(text));
  } catch {
    return false;
  }
}

function report(name: string, counts: { answers: number; valid: number; tokens: number }): void {
  const { answers, valid, tokens } = counts;
  console.log(
    `${name}: ${valid} of ${answers} answers are valid, of ${shown(tokens / answers, 0)} tokens on average`,
  );
}

/** A constraint whose states add up the time that they take, in milliseconds. */
function timed(constraint: TokenConstraint, spent: { ms: number }): TokenConstraint {
  const measured = <T>(body: () => T): T => {
    const start = performance.now();
    const found = body();
    spent.ms += performance.now() - start;
    return found;
  };
  return {
    words: constraint.words,
    start() {
      const state = constraint.start();
      return {
        allowed: (into, left) => measured(() => state.allowed(into, left)),
        accept: (token) => measured(() => state.accept(token)),
        get finished() {
          return state.finished;
        },
        dispose: () => state.dispose(),
      };
    },
  };
}

async function measureCost(): Promise<void> {
  const person = {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 40 },
      age: { type: 'integer', minimum: 0, maximum: 120 },
      email: { type: 'string', format: 'email' },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 5 },
      address: {
        type: 'object',
        properties: { city: { type: 'string' }, zip: { type: 'string', pattern: '^[0-9]{5}$' } },
        required: ['city', 'zip'],
      },
    },
    required: ['name', 'age', 'email', 'tags', 'address'],
    additionalProperties: false,
  };
  const long = {
    type: 'object',
    properties: { text: { type: 'string', minLength: 300 } },
    required: ['text'],
  };
  const constraints: Record<string, Constraint> = {
    'a schema of a person': { kind: 'json-schema', schema: person },
    'a long string': { kind: 'json-schema', schema: long },
    'any JSON object': { kind: 'json' },
    'a regular expression': { kind: 'regex', pattern: '([A-Za-z ,.]{1,40}\\n){8}' },
    'a grammar': {
      kind: 'grammar',
      text: 'root ::= (line "\\n"){8,}\nline ::= word (" " word)*\nword ::= [a-z]{1,12}',
    },
  };
  console.log(`\nmasks, with ${threads()} threads (milliseconds):`);
  for (const batchSize of [1, 32]) {
    const applied = timeOfMasking(batchSize);
    for (const [name, constraint] of Object.entries(constraints)) {
      const spent = { ms: 0 };
      const compiled = timed(await compile(constraint), spent);
      const { steps, ms } = await timeOfSteps(compiled, batchSize, spent);
      const mask = spent.ms / steps + applied;
      console.log(
        `  ${String(batchSize).padStart(2)} in flight, ${name}: step ${shown(ms / steps)}, finding ${shown(spent.ms / steps, 3)}, applying ${shown(applied, 3)}: ${shown((100 * mask) / (ms / steps), 1)}% of a step`,
      );
    }
  }
}

/** Milliseconds to mask the logits of a batch, half of the tokens allowed. */
function timeOfMasking(batchSize: number): number {
  const words = Math.ceil(vocabularySize / 32);
  const masks = new Int32Array(batchSize * words).fill(0x55555555);
  return tidy(() => {
    const logits = ops.zeros([batchSize, vocabularySize], 'float32', 'cpu');
    const start = performance.now();
    for (let repeat = 0; repeat < 50; repeat++) {
      tidy(() => void ops.maskLogits_(logits, fromTypedArray(masks, [batchSize, words])));
    }
    return (performance.now() - start) / 50;
  });
}

/** Decoding steps of samples until the first is complete, and what their masks took. */
async function timeOfSteps(
  constraint: TokenConstraint,
  batchSize: number,
  spent: { ms: number },
): Promise<{ steps: number; ms: number }> {
  let [steps, ms] = [0, 0];
  let found = 0;
  for (let seed = 0; steps < 60; seed++) {
    const options = checkOptions(
      { constraint, temperature: 1, samplesPerPrompt: batchSize, maxNewTokens: 120, seed },
      tokenizer,
    );
    const batch = new BatchInFlight(model, { batchSize, prefillTokens: 1024, retainedTokens: 0 });
    const tokens = promptOf('Describe a person who lives in Rome.');
    batch.add({ promptIndex: 0, tokens, options, draws: { seed, promptIndex: 0 } });
    batch.admit();
    while (!batch.finished && batch.counts.live === batchSize) {
      const before = spent.ms;
      const start = performance.now();
      batch.advance();
      ms += performance.now() - start;
      found += spent.ms - before;
      steps += 1;
    }
    batch.abort();
    batch.dispose();
  }
  spent.ms = found;
  return { steps, ms };
}
