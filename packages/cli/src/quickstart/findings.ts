// Turns measurements into the report and the lines on the terminal.
import type { RunResult } from '@keel/align';
import {
  bootstrapMeanInterval,
  html,
  type Markup,
  type MetricsRow,
  type ReportData,
  wilsonInterval,
  writeReport,
} from '@keel/align/internal';
import type { JudgingSummary } from '@keel/evaluate';
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
  /** A judge's verdicts on the answers that measure the behaviour. */
  judged: JudgingSummary;
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

/** Folder of the judge's verdicts in the run's folder. */
export const JUDGED = 'judged';

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
    sections: [judgedSection(findings.judged)],
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

/** What to know of the win rate before believing it. */
const judgedSection = ({ findings, check, pairs }: JudgingSummary): Markup =>
  html`<section aria-labelledby="judged">
<h2 id="judged">The win rate's judge</h2>
<p class="lead">A reward model that was trained on the same pairs as the policy compared ${pairs} answers before and after, and <a href="${JUDGED}/report.html">each verdict</a> is in its own report. It was <a href="${JUDGED}/check/report.html">checked</a> on ${check?.pairs ?? 0} held-out pairs, whose better answer is known. It judges what the pairs teach, which is not whether an answer is true.</p>
${findings.map(({ text }) => html`<p>${text}</p>`)}
</section>`;

/** Claims an improvement only if the whole interval is above the starting value. */
function summaryOf({ before, after }: Headline): string {
  const shares = `${percent(before!.value)} of the answers did so before, ${percent(after.value)} do now`;
  const better = after.interval !== undefined && after.interval[0] > before!.value;
  return better
    ? `DPO trained the model to answer in at most two sentences and to say plainly when something cannot be known: ${shares}.`
    : `The goal was to answer in at most two sentences and to say plainly when something cannot be known. No clear gain was measured: ${shares}.`;
}

function headlinesOf(findings: Findings): Headline[] {
  const { shown, before, after, pairs, beta, divergence } = findings;
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
    ...judgedHeadlines(findings.judged),
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

/** The win rate, and beside it how far its judge can be believed. */
function judgedHeadlines({ winRate, judged, check }: JudgingSummary): Headline[] {
  const shown = { before: null, unit: 'share', better: null } as const;
  const accuracy = check?.accuracy ?? null;
  return [
    ...(winRate === null
      ? []
      : [
          {
            ...{ label: 'Win rate after against before', after: winRate, ...shown },
            note: `${judged} pairs of answers, by a reward model. 50% would be no difference`,
          },
        ]),
    ...(accuracy === null
      ? []
      : [
          {
            ...{ label: 'Its judge is right', after: accuracy, ...shown },
            note: `${accuracy.count} held-out pairs that it was not trained on`,
          },
        ]),
    {
      ...{ label: 'Both orders agree', after: { value: 1 }, ...shown },
      note: 'By construction: a reward model scores each answer by itself and sees no order',
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
