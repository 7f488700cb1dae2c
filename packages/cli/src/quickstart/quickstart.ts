// npm run quickstart: aligns the default model on the bundled pairs, measures what changed, and
//   writes a report.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alignPairs, type RunHooks, type RunResult, trainReward } from '@keel/align';
import { formatDuration, MetricsLog } from '@keel/align/internal';
import { DEFAULT_MODEL_NAME, loadAdapter, loadModel } from '@keel/model';
import { reportFailure } from '../failure.ts';
import { watchOutput, withOutputEnd } from '../output-end.ts';
import { write } from '../terminal.ts';
import { HumanDisplay } from '../training/human-display.ts';
import { StopSignals } from '../training/stop-signals.ts';
import type { QuestionKind } from './behaviour.ts';
import { type Findings, JUDGED, writeFindings } from './findings.ts';
import { judgeAnswers } from './judging.ts';
import {
  answer,
  heldOutRows,
  type JudgedAnswer,
  logRatios,
  measurePairs,
  type Question,
} from './measure.ts';
import { unseenPrompts } from './prompts.ts';
import { sideBySide } from './side-by-side.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const data = (name: string): string => join(root, 'examples', 'data', `concise-${name}.jsonl`);
const POLICY = 'policy';
const BETA = 0.1;
/** Number of generated answers that the behaviour is measured on. */
const MEASURED = 40;
const MAX_NEW_TOKENS = 160;
/** Steps of the reward model that judges: enough to be right on held-out pairs. */
const JUDGE_STEPS = 20;
const PARTS = 6;

/**
 * The first of runs/quickstart, runs/quickstart-2, … that does not exist, so that nothing is
 * overwritten.
 */
function freeFolder(): string {
  const first = join(root, 'runs', 'quickstart');
  let path = first;
  for (let number = 2; existsSync(path); number++) path = `${first}-${number}`;
  return path;
}

const started = performance.now();
let stepStarted = started;
let part = 0;
function announce(text: string): void {
  part += 1;
  stepStarted = performance.now();
  write(process.stdout, `\n[${part}/${PARTS}] ${text}\n`);
}
const stepSeconds = (): number => (performance.now() - stepStarted) / 1000;

async function main(): Promise<number> {
  const output = freeFolder();
  announce(`Aligning ${DEFAULT_MODEL_NAME} with DPO on ${relative(root, data('train'))}`);
  const { result, exitCode } = await train((hooks) => alignPolicy(output, hooks));
  const trainingSeconds = stepSeconds();
  if (result.interrupted) {
    const config = join(relative(process.cwd(), output), 'config.yaml');
    write(process.stdout, `Stopped. Resume with: npx keel dpo --config ${config} --resume\n`);
    return exitCode;
  }

  announce('Training a reward model on the same pairs, which judges the answers');
  const judge = await train((hooks) => trainJudge(join(output, 'judge'), hooks));
  if (judge.result.interrupted) {
    write(process.stdout, `Stopped. The aligned model: ${relative(process.cwd(), result.final)}\n`);
    return judge.exitCode;
  }

  const measured = await measure(result.final);
  announce('Judging the answers, and checking the judge on held-out pairs');
  const asked = (answers: readonly JudgedAnswer[]) => answers.slice(unseenPrompts.length);
  const judged = await judgeAnswers(
    {
      questions: measured.questions.slice(unseenPrompts.length),
      before: asked(measured.before),
      after: asked(measured.after),
    },
    {
      reward: judge.result.final,
      labels: data('held-out'),
      output: join(output, JUDGED),
      notice: (text) => write(process.stdout, `${text}\n`),
    },
  );

  announce('Writing the report');
  const findings: Findings = {
    ...measured,
    health: result.health,
    shown: unseenPrompts.length,
    judged,
    beta: BETA,
    metrics: MetricsLog.read(join(output, 'metrics.jsonl')),
    environment: JSON.parse(readFileSync(join(output, 'environment.json'), 'utf8')),
    config: readFileSync(join(output, 'config.yaml'), 'utf8'),
    trainingSeconds,
    totalSeconds: (performance.now() - started) / 1000,
    steps: result.step,
    final: relative(process.cwd(), result.final),
    run: relative(process.cwd(), output),
  };
  show(findings, writeFindings(join(output, 'report.html'), findings));
  return 0;
}

/** What the model without the adapter and with it makes of held-out pairs and questions. */
async function measure(
  adapter: string,
): Promise<Pick<Findings, 'questions' | 'before' | 'after' | 'pairs' | 'divergence'>> {
  announce('Measuring held-out preferences before and after');
  const model = await loadModel(DEFAULT_MODEL_NAME);
  try {
    loadAdapter(model.decoder, adapter, POLICY);
    const pairs = measurePairs(model, POLICY, await heldOutRows(data('held-out')));

    const asked = measuredQuestions();
    const questions = [...unseenPrompts, ...asked];
    announce(`Generating ${questions.length} answers before and after`);
    const before = await answer(model, questions, {
      adapter: null,
      maxNewTokens: MAX_NEW_TOKENS,
      temperature: 0,
    });
    const tuned = { adapter: POLICY, maxNewTokens: MAX_NEW_TOKENS };
    const after = await answer(model, questions, { ...tuned, temperature: 0 });
    const drawn = await answer(model, asked, { ...tuned, temperature: 1 });
    const divergence = logRatios(model, POLICY, asked, drawn);
    return { questions, before, after, pairs, divergence };
  } finally {
    model.dispose();
  }
}

/**
 * During training, a signal finishes the step and saves a checkpoint; after it, signals end the
 * process as usual.
 */
async function train(
  start: (hooks: RunHooks) => Promise<RunResult>,
): Promise<{ result: RunResult; exitCode: number }> {
  const display = new HumanDisplay();
  using stop = new StopSignals((name) =>
    display.say(
      `${name}: finishing this step and saving a checkpoint. Press Ctrl-C again to quit now.`,
    ),
  );
  try {
    const result = await start({
      onEvent: (event) => display.event(event),
      signal: stop.signal,
    });
    return { result, exitCode: stop.exitCode };
  } finally {
    display.close();
  }
}

const alignPolicy = (output: string, hooks: RunHooks): Promise<RunResult> =>
  alignPairs(
    {
      data: [data('train')],
      evalData: [data('held-out')],
      output,
      loss: ['sigmoid', 'chosen_nll'],
      lossWeights: [1, 0.5],
      beta: BETA,
      lora: true,
      learningRate: 5e-4,
      warmupSteps: 5,
      epochs: 2,
      batchSize: 8,
      evalSteps: 17,
    },
    hooks,
  );

/** A verdict is the sigmoid of a difference of rewards, so their mean has no effect on it. */
const trainJudge = (output: string, hooks: RunHooks): Promise<RunResult> =>
  trainReward(
    {
      data: [data('train')],
      output,
      normalise: 'none',
      lora: true,
      learningRate: 3e-4,
      warmupSteps: 3,
      maxSteps: JUDGE_STEPS,
      batchSize: 8,
    },
    hooks,
  );

/** The first held-out questions; none of them was trained on. */
function measuredQuestions(): Question[] {
  const lines = readFileSync(data('held-out'), 'utf8').trim().split('\n').slice(0, MEASURED);
  return lines.map((line) => {
    const row = JSON.parse(line) as { prompt: { content: string }[]; kind: QuestionKind };
    return { prompt: row.prompt[0]!.content, kind: row.kind };
  });
}

function show(findings: Findings, headlines: readonly string[]): void {
  const columns = Math.min(process.stdout.columns ?? 100, 140);
  const line = '─'.repeat(columns);
  const out = (text: string): void => write(process.stdout, `${text}\n`);
  for (let index = 0; index < findings.shown; index++) {
    out(`\n${line}\n${findings.questions[index]!.prompt}\n`);
    out(
      sideBySide(
        ['BEFORE', findings.before[index]!.text],
        ['AFTER', findings.after[index]!.text],
        columns,
      ),
    );
  }
  out(`\n${line}`);
  for (const text of headlines) out(text);
  out(
    `\nTraining took ${formatDuration(findings.trainingSeconds)}, the whole quickstart ${formatDuration(findings.totalSeconds)}.`,
  );
  out(`Report:  ${findings.run}/report.html`);
  out(`Judged:  ${findings.run}/${JUDGED}/report.html`);
  out(`Result:  ${findings.final}`);
  out(`Chat:    npx keel chat --adapter ${findings.final}`);
}

watchOutput();
try {
  process.exitCode = withOutputEnd(await main());
} catch (error) {
  process.exitCode = reportFailure(error, undefined);
}
