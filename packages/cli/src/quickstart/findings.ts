// Turns measurements into the report and the lines on the terminal.
import type { RunResult } from '@keel/align';
import {
  bootstrapMeanInterval,
  type MetricsRow,
  type ReportData,
  wilsonInterval,
  writeReport,
} from '@keel/align/internal';
import { DEFAULT_MODEL_NAME } from '@keel/model';
import { behaviourInWords } from './behaviour.ts';
import type { JudgedAnswer, PairMeasure, Question } from './measure.ts';

export interface Findings {
  /** What was found while it trained. */
  health: RunResult['health'];
  questions: readonly Question[];
  /**
   * Number of questions at the start that are shown side by side; the others measure the behaviour.
   */
  shown: number;
  before: readonly JudgedAnswer[];
  after: readonly JudgedAnswer[];
  pairs: readonly PairMeasure[];
  /** The run's beta: the implicit reward is beta times the log-ratio. */
  beta: number;
  /** log-ratio of each sampled answer, in nats */
  divergence: readonly number[];
  metrics: MetricsRow[];
  environment: {
    cpu: string;
    cores: number;
    device: string;
    torch: string;
    threads: number;
    modelHashes: Record<string, string>;
    dataHashes: Record<string, string>;
  };
  config: string;
  trainingSeconds: number;
  totalSeconds: number;
  steps: number;
  final: string;
  run: string;
}

type Headline = NonNullable<ReportData['headlines']>[number];
type Estimate = Headline['after'];

/** Writes report.html. @returns the headlines as lines of text */
export function writeFindings(path: string, findings: Findings): string[] {
  const headlines = headlinesOf(findings);
  const [behaviour] = headlines;
  const { health } = findings;
  const doubtful = health?.findings.some(({ severity }) => severity === 'serious') ?? false;
  const comparison = (index: number) => ({
    prompt: findings.questions[index]!.prompt,
    before: { text: findings.before[index]!.text, verdict: findings.before[index]!.verdict },
    after: { text: findings.after[index]!.text, verdict: findings.after[index]!.verdict },
  });
  const indices = findings.questions.map((_, index) => index);
  writeReport(path, {
    title: `${DEFAULT_MODEL_NAME}, aligned`,
    summary: summaryOf(behaviour!),
    created: new Date().toISOString(),
    ...(health && { health }),
    headlines: headlines.map((one) => ({ ...one, doubtful })),
    comparisons: {
      note: `${findings.shown} prompts that are not in the data, answered greedily.`,
      rows: indices.slice(0, findings.shown).map(comparison),
    },
    metrics: findings.metrics,
    samples: { behaviour: behaviourInWords, rows: indices.slice(findings.shown).map(comparison) },
    ran: ran(findings),
  });
  return headlines.map(lineOf);
}

/** Claims an improvement only if the whole interval is above the starting value. */
function summaryOf({ before, after }: Headline): string {
  const shares = `${percent(before!.value)} of the answers did so before, ${percent(after.value)} do now`;
  const better = after.interval !== undefined && after.interval[0] > before!.value;
  return better
    ? `DPO trained the model to answer in at most two sentences and to say plainly when something cannot be known: ${shares}.`
    : `The goal was to answer in at most two sentences and to say plainly when something cannot be known. No clear gain was measured: ${shares}.`;
}

function headlinesOf({ shown, before, after, pairs, beta, divergence }: Findings): Headline[] {
  const passed = (answers: readonly JudgedAnswer[]): Estimate => {
    const measured = answers.slice(shown);
    return share(measured.filter(({ verdict }) => verdict.passed).length, measured.length);
  };
  const perToken = (
    { chosen, rejected }: { chosen: number; rejected: number },
    { tokens }: PairMeasure,
  ): number => chosen / tokens.chosen - rejected / tokens.rejected;
  const margins = pairs.map(
    ({ base, policy }) => beta * (policy.chosen - base.chosen - (policy.rejected - base.rejected)),
  );
  const words = (answers: readonly JudgedAnswer[]): Estimate =>
    mean(
      answers
        .slice(shown)
        .map(({ text }) => text.split(/\s+/).filter((word) => word !== '').length),
    );
  const heldOut = `${pairs.length} held-out pairs`;
  const generated = `${before.length - shown} answers to held-out questions`;
  return [
    {
      label: 'Shows the behaviour',
      before: passed(before),
      after: passed(after),
      unit: 'share',
      better: 'higher',
      note: generated,
    },
    {
      label: 'Held-out preference accuracy',
      before: null,
      after: share(margins.filter((margin) => margin > 0).length, pairs.length),
      unit: 'share',
      better: 'higher',
      note: `${heldOut}; the chosen answer has the higher implicit reward. Before training both are 0`,
    },
    {
      label: 'Chosen answer more likely',
      before: share(pairs.filter((pair) => perToken(pair.base, pair) > 0).length, pairs.length),
      after: share(pairs.filter((pair) => perToken(pair.policy, pair) > 0).length, pairs.length),
      unit: 'share',
      better: 'higher',
      note: `${heldOut}; log-probability per token, without the reference`,
    },
    {
      label: 'Held-out reward margin',
      before: { value: 0 },
      after: mean(margins),
      unit: 'number',
      better: 'higher',
      note: `${heldOut}; beta ${beta}`,
    },
    {
      label: 'KL to the base model',
      before: { value: 0 },
      after: mean(divergence),
      unit: 'number',
      better: null,
      note: `nats per answer, ${divergence.length} answers sampled at temperature 1`,
    },
    {
      label: 'Words per answer',
      before: words(before),
      after: words(after),
      unit: 'number',
      better: null,
      note: generated,
    },
  ];
}

const share = (count: number, total: number): Estimate => ({
  value: count / total,
  interval: wilsonInterval(count, total),
});
const mean = (values: readonly number[]): Estimate => ({
  value: values.reduce((sum, value) => sum + value, 0) / values.length,
  interval: bootstrapMeanInterval(values),
});

const percent = (value: number): string => `${Math.round(100 * value)}%`;

function lineOf({ label, before, after, unit }: Headline): string {
  const number = (value: number): string => (unit === 'share' ? percent(value) : value.toFixed(2));
  const shown = ({ value, interval }: Estimate): string =>
    interval === undefined
      ? number(value)
      : `${number(value)} [${number(interval[0])}, ${number(interval[1])}]`;
  return `${label.padEnd(34)}${before === null ? '' : `${shown(before)}  →  `}${shown(after)}`;
}

function ran({
  environment,
  metrics,
  config,
  trainingSeconds,
  totalSeconds,
  steps,
  final,
  run,
}: Findings): NonNullable<ReportData['ran']> {
  const speeds = metrics.map((row) => row.tokens_per_second).filter((speed) => speed !== undefined);
  const middle = speeds.toSorted((a, b) => a - b)[speeds.length >> 1] ?? 0;
  const hashes = (of: Record<string, string>): string =>
    Object.entries(of)
      .map(([name, hash]) => `${name.split('/').at(-1)} ${hash.slice(0, 12)}`)
      .join(', ');
  return {
    facts: [
      { label: 'Model', value: hashes(environment.modelHashes) },
      { label: 'Data', value: hashes(environment.dataHashes) },
      {
        label: 'Machine',
        value: `${environment.cpu}, ${environment.cores} cores, ${environment.device}, ${environment.threads} threads`,
      },
      { label: 'LibTorch', value: environment.torch },
      {
        label: 'Training',
        value: `${steps} steps in ${Math.round(trainingSeconds)} s, ${Math.round(middle)} tokens per second`,
      },
      { label: 'In total', value: `${Math.round(totalSeconds)} s` },
    ],
    commands: [
      { label: 'Chat with it', command: `npx keel chat --adapter ${final}` },
      {
        label: 'Ask it one question',
        command: `npx keel generate --adapter ${final} --prompt "Why is the sky blue?"`,
      },
      { label: 'Curves', command: `tensorboard --logdir ${run}` },
    ],
    config,
  };
}
