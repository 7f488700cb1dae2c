// The recorded answers of Constitutional AI (Bai et al. 2022, arXiv:2212.08073) as files that
// `keel judge` reads: a file of rows with prompt and completion for each model and each round.
// Shows how long they are, and how the refusal classifier labels them.
// node benchmarks/recorded-answers.ts --data samples --output answers [--per-prompt 5]
// --data has LAMDA_HHRLHF.jsonl, LAMDA_SLMADISON.jsonl and LAMDA_RLMADISON.jsonl of
// github.com/anthropics/ConstitutionalHarmlessnessPaper, under these names or others that end so.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { classifyRefusal } from '@keel/evaluate';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    output: { type: 'string' },
    'per-prompt': { type: 'string', default: '5' },
  },
});
if (values.data === undefined || values.output === undefined) {
  throw new Error('--data and --output are required');
}
const { data, output } = values;
const perPrompt = Number(values['per-prompt']);

interface Sampled {
  rl_prompt: string;
  sampled_answers: { sampled_string: string; pm_scores: [{ pm_score: number }] }[];
}

/** The helpful-only model's answer, and what each round of critique and revision made of it. */
interface Revised {
  rl_prompt: string;
  initial_response: [{ sample: string }];
  cst: { revision: { sample: string } }[];
}

function rowsOf<Row>(name: string): Row[] {
  const file = readdirSync(data).find((one) => one.endsWith(`LAMDA_${name}.jsonl`));
  if (file === undefined)
    throw new Error(`${data}: no file whose name ends in LAMDA_${name}.jsonl`);
  const lines = readFileSync(join(data, file), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Row);
}

/** The question of a transcript that has one. */
function questionOf(transcript: string): string {
  const [, question] = /^\n\nHuman: ([\s\S]+)\n\nAssistant:$/.exec(transcript) ?? [];
  if (question === undefined || question.includes('\n\nHuman: ')) {
    throw new Error(`not a transcript with one question: ${JSON.stringify(transcript)}`);
  }
  return question;
}

/** Without the stop text: models that were sampled until the next turn began it. */
const answerOf = (sample: string): string => sample.replace(/\n\s*Human:\s*$/, '').trim();

/**
 * Evenly spaced answers from the first to the last, or the middle one: they are sorted by a score
 * of the authors' preference model.
 */
function spaced(answers: readonly string[]): string[] {
  const last = answers.length - 1;
  const places = Array.from({ length: perPrompt }, (_, at) =>
    perPrompt === 1 ? last / 2 : (at * last) / (perPrompt - 1),
  );
  return places.map((place) => answers[Math.round(place)]!);
}

function write(
  name: string,
  transcripts: readonly { rl_prompt: string; answers: readonly string[] }[],
): void {
  const rows = transcripts.flatMap(({ rl_prompt, answers }) =>
    answers.map((answer) => ({ question: questionOf(rl_prompt), answer: answerOf(answer) })),
  );
  const lines = rows.map(({ question, answer }) =>
    JSON.stringify({
      prompt: [{ role: 'user', content: question }],
      completion: [{ role: 'assistant', content: answer }],
      model: name,
    }),
  );
  writeFileSync(join(output, `${name}.jsonl`), `${lines.join('\n')}\n`);
  const labels = rows.map(({ question, answer }) => classifyRefusal(question, answer).label);
  const shares = [...new Set(labels)].sort().map((label) => {
    const share = labels.filter((one) => one === label).length / labels.length;
    return `${label} ${(100 * share).toFixed(0)}%`;
  });
  const length = rows.reduce((sum, { answer }) => sum + answer.length, 0) / rows.length;
  console.log(
    `${name}: ${rows.length} answers to ${transcripts.length} prompts, ` +
      `${length.toFixed(0)} characters; ${shares.join(', ')}`,
  );
}

mkdirSync(output, { recursive: true });
const sampled = { 'hh-rlhf': rowsOf<Sampled>('HHRLHF'), 'rl-cai': rowsOf<Sampled>('RLMADISON') };
for (const [name, rows] of Object.entries(sampled)) {
  write(
    name,
    rows.map(({ rl_prompt, sampled_answers }) => ({
      rl_prompt,
      answers: spaced(sampled_answers.map(({ sampled_string }) => sampled_string)),
    })),
  );
}
// One answer of each round for each prompt: it meets every answer of the other models.
const revised = rowsOf<Revised>('SLMADISON');
const rounds = Math.min(...revised.map(({ cst }) => cst.length));
for (let round = 0; round <= rounds; round += 1) {
  const name = round === 0 ? 'helpful-only' : round === rounds ? 'sl-cai' : `revision-${round}`;
  write(
    name,
    revised.map(({ rl_prompt, initial_response: [{ sample }], cst }) => ({
      rl_prompt,
      answers: Array(perPrompt).fill(round === 0 ? sample : cst[round - 1]!.revision.sample),
    })),
  );
}
