import {
  EXPECTED_SHARE,
  formatCount,
  formatDuration,
  isMeasuring,
  type PlannedStage,
  type Recipe,
  type RecipePlan,
} from '@keel/align/internal';

/** What to call a stage; in a comparison it is an entry. */
export interface Noun {
  one: string;
  many: string;
}

const stageNoun: Noun = { one: 'stage', many: 'stages' };

/** The plan as text. */
export function planText(
  { path, output }: Recipe,
  { stages, unused }: RecipePlan,
  noun = stageNoun,
): string {
  const width = Math.max(...stages.map(({ stage: { name } }) => name.length));
  const lines = stages.flatMap((planned) => {
    const { stage, estimate } = planned;
    const head = `${`${stage.number}.`.padStart(4)} ${stage.name.padEnd(width)}`;
    const indent = ' '.repeat(head.length + 2);
    const first = `${head}  keel ${stage.verb}: ${stateText(planned)}`;
    if (stage.kind === 'job') {
      const done = planned.state.status === 'done';
      return done ? [first] : [first, `${indent}${stage.job.describe(stage.options)}`];
    }
    const { model } = stage.options;
    const made = `${indent}${stage.options.lora ? 'LoRA on ' : ''}${model}`;
    const { waitsFor } = planned;
    if (waitsFor.length > 0) {
      return [first, made, `${indent}rows of ${waitsFor.join(' and ')}, which are not written yet`];
    }
    if (estimate === null) return [first];
    const { rows, evalRows, steps, tokens, memoryBytes, seconds } = estimate;
    const held = evalRows > 0 ? ` and ${evalRows} held out` : '';
    return [
      first,
      made,
      `${indent}${rows} rows${held}, ${steps} ${steps === 1 ? 'step' : 'steps'}, ${formatCount(tokens)} tokens`,
      `${indent}about ${formatDuration(seconds)}, ${gigabytes(memoryBytes)}`,
    ];
  });
  const notes = unused.map(
    (name) =>
      `No stage uses the result of ${name}. To use it, write \${stages.${name}} in a later stage.`,
  );
  return [
    `${path}: ${count(stages.length, noun)}, in ${output}`,
    '',
    ...lines,
    '',
    ...notes,
    sumText(stages, noun),
  ].join('\n');
}

const count = (number: number, { one, many }: Noun): string =>
  number === 1 ? `1 ${one}` : `${number} ${many}`;

export function stateText({ state: { status, why, step } }: Pick<PlannedStage, 'state'>): string {
  if (status === 'done') return 'done (unchanged)';
  if (status === 'resume') return `resume after step ${step} (${why.join('; ')})`;
  return `run (${why.join('; ')})`;
}

function sumText(stages: readonly PlannedStage[], noun: Noun): string {
  const estimates = stages.flatMap(({ estimate }) => estimate ?? []);
  const jobs = stages.filter(
    ({ stage: { kind }, state }) => kind === 'job' && state.status !== 'done',
  );
  const waiting = stages.filter(({ waitsFor }) => waitsFor.length > 0);
  const others = [
    ...countOf(jobs, 'that trains nothing', 'that train nothing', noun),
    ...countOf(waiting, 'whose rows do not exist yet', 'whose rows do not exist yet', noun),
  ];
  const rest = others.join(' and ');
  if (estimates.length + others.length === 0) return 'Nothing to run.';
  if (estimates.length === 0) return `To run: ${rest}.`;
  const more = rest === '' ? '' : ` Not in the estimate: ${rest}.`;
  const seconds = estimates.reduce((sum, one) => sum + one.seconds, 0);
  const memory = Math.max(...estimates.map((one) => one.memoryBytes));
  return `To run: ${count(estimates.length, noun)}, about ${formatDuration(seconds)} at ${Math.round(100 * EXPECTED_SHARE)}% of this machine's peak matmul speed, at most ${gigabytes(memory)} of memory.${more}`;
}

const countOf = (of: readonly unknown[], one: string, many: string, noun: Noun): string[] =>
  of.length === 0 ? [] : [`${count(of.length, noun)} ${of.length === 1 ? one : many}`];

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** The plan as a JSON object. */
export function planJson(
  { path, output }: Recipe,
  { stages, unused }: RecipePlan,
  noun = stageNoun,
): object {
  return {
    type: 'plan',
    recipe: path,
    run: output,
    share_of_peak: EXPECTED_SHARE,
    ...(noun === stageNoun && { unused }),
    [noun.many]: stages.map(({ stage, state: { status, why, step }, estimate, waitsFor }) => ({
      ...{ [noun.one]: stage.name, number: stage.number, verb: stage.verb, status, why, step },
      ...(stage.kind === 'training'
        ? { model: stage.options.model }
        : { [isMeasuring(stage) ? 'measures' : 'writes']: stage.job.describe(stage.options) }),
      ...(waitsFor.length > 0 && { waits_for: waitsFor }),
      ...(estimate && {
        rows: estimate.rows,
        eval_rows: estimate.evalRows,
        total_steps: estimate.steps,
        tokens: estimate.tokens,
        memory_bytes: Math.round(estimate.memoryBytes),
        seconds: Number(estimate.seconds.toPrecision(3)),
      }),
    })),
  };
}
