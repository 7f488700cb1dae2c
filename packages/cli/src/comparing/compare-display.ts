import { join } from 'node:path';
import type { CompareOptions } from '@keel/align/config';
import {
  type CompareEntry,
  type CompareEvent,
  type CompareResult,
  type Comparison,
  type ComparisonPlan,
  type ComparisonResults,
  type EntryNumbers,
  findings,
  formatDuration,
  formatSuite,
  formatSummary,
  type MeasuringEstimate,
  PlainPace,
  stepsTook,
  summaryLines,
} from '@keel/align/internal';
import { type Noun, planJson, planText, stateText } from '../aligning/plan-display.ts';
import { shellWord } from '../shell-word.ts';
import { complain, say } from '../terminal.ts';
import type { TrainingDisplay } from '../training/display.ts';
import { HumanDisplay } from '../training/human-display.ts';
import { JsonDisplay, printJson } from '../training/json-display.ts';
import { chatWith } from '../training/run-verb.ts';
import { tableText } from './table-text.ts';

const noun: Noun = { one: 'entry', many: 'entries' };

/**
 * Shows a comparison: each entry's run as its verb shows it, its measurements, and the table at the
 * end.
 */
export class CompareDisplay {
  readonly #comparison: Comparison;
  readonly #json: boolean;
  /** The command that resumes the comparison. */
  readonly #resume: string;
  #current: TrainingDisplay | null = null;
  #pace = new PlainPace({ seconds: 5 });
  /** For each notice, the entry whose run printed it first. */
  readonly #said = new Map<string, string>();

  constructor(comparison: Comparison, resume: string) {
    this.#comparison = comparison;
    this.#json = comparison.options.json;
    this.#resume = resume;
  }

  plan(plan: ComparisonPlan): void {
    const { measuring } = plan;
    if (this.#json) {
      printJson({
        ...planJson(this.#comparison, plan, noun),
        measuring: measuring && {
          ...{ entries: measuring.entries, pairs: measuring.pairs, prompts: measuring.prompts },
          seconds: Number(measuring.seconds.toPrecision(3)),
        },
      });
      return;
    }
    say(planText(this.#comparison, plan, noun));
    if (measuring !== null) say(measuringText(measuring, this.#comparison.options));
  }

  event(event: CompareEvent): void {
    switch (event.type) {
      case 'entry':
        this.#entry(event);
        break;
      case 'run':
        if (this.#isShown(event)) this.#current?.event(event.event);
        break;
      case 'ended':
        this.#ended(event);
        break;
      case 'measuring':
        this.#measuring(event);
        break;
      case 'measured':
        this.#measured(event);
        break;
      case 'notice':
        this.say(event.text);
    }
  }

  #entry({ entry, state }: CompareEvent & { type: 'entry' }): void {
    const { name, number, verb } = entry;
    const of = this.#comparison.stages.length;
    const { status, why, step } = state;
    this.close();
    if (this.#json) printJson({ type: 'entry', entry: name, number, of, verb, status, why, step });
    else say(`\n${this.#label(entry)}  keel ${verb}: ${stateText({ state })}`);
    this.#current = this.#json
      ? new JsonDisplay({ entry: name })
      : new HumanDisplay(process.stdout, { label: this.#label(entry) });
  }

  /** Without --json, an entry's plan is not shown: the comparison has shown its own. */
  #isShown(event: CompareEvent & { type: 'run' }): boolean {
    return (this.#json || event.event.type !== 'plan') && !this.#saidBefore(event);
  }

  /** Whether an earlier entry's run printed it: notices about model, machine and rows repeat. */
  #saidBefore({ entry, event }: CompareEvent & { type: 'run' }): boolean {
    if (event.type !== 'notice' && event.type !== 'data') return false;
    const code =
      event.type === 'data' ? summaryLines(event.facts).join('\n') : (event.code ?? event.text);
    const by = this.#said.get(code);
    if (by === undefined) this.#said.set(code, entry.name);
    return by !== undefined && by !== entry.name;
  }

  #ended({ entry, result, seconds }: CompareEvent & { type: 'ended' }): void {
    this.close();
    if (result.interrupted) return;
    const rounded = Math.round(seconds * 10) / 10;
    if (this.#json) {
      const use = chatWith(entry.options, result.final);
      this.#current?.ended({ ...result, seconds: rounded, use, resume: this.#resume });
    } else {
      const took = stepsTook(result.step, seconds);
      say(`${this.#label(entry)}  ${took}. The result is in ${result.final}`);
    }
  }

  #measuring({ entry, part, done, total }: CompareEvent & { type: 'measuring' }): void {
    if (!this.#pace.due(0)) return;
    if (this.#json) {
      printJson({ type: 'measuring', entry: entry?.name ?? null, part, done, total });
      return;
    }
    say(`${this.#named(entry)}  ${done} of ${total} ${measuredWork[part]}`);
  }

  #measured({ entry, numbers, suites, secondsLeft }: CompareEvent & { type: 'measured' }): void {
    this.#pace = new PlainPace({ seconds: 5 });
    if (this.#json) {
      const values = Object.entries(numbers).flatMap(([name, one]) =>
        one === null ? [] : [[name, one.value] as const],
      );
      printJson({
        type: 'measured',
        entry: entry?.name ?? null,
        ...Object.fromEntries(values),
        ...Object.fromEntries(
          Object.entries(suites).map(([name, { value }]) => [`suite/${name}`, value]),
        ),
        ...(secondsLeft !== null && { seconds_left: Math.round(secondsLeft) }),
      });
      return;
    }
    const left =
      secondsLeft === null || secondsLeft === 0
        ? ''
        : `\nabout ${formatDuration(secondsLeft)} left for all entries`;
    const found = Object.entries(suites).map(([name, one]) => `${name} ${formatSuite(one)}`);
    say(`${this.#named(entry)}  ${[sentence(numbers), ...found].join('  ')}${left}`);
  }

  #named = (entry: CompareEntry | null): string =>
    entry === null ? 'reference' : this.#label(entry);

  #label = ({ name, number }: CompareEntry): string =>
    `[${number}/${this.#comparison.stages.length}] ${name}`;

  say(text: string): void {
    if (this.#current !== null) this.#current.say(text);
    else complain(text);
  }

  close(): void {
    this.#current?.close();
  }

  ended({ path, ran, results, interrupted }: CompareResult): void {
    if (interrupted !== null || results === null) {
      const { entry, step } = interrupted!;
      if (this.#json) {
        printJson({ type: 'interrupted', entry, step, run: path, resume: this.#resume });
      } else {
        const where = step === 0 ? `before ${entry}` : `in ${entry} after step ${step}`;
        say(`\nStopped ${where}.\nResume with:  ${this.#resume}`);
      }
      return;
    }
    if (this.#json) this.#printResults(path, ran, results);
    else {
      const { files } = results;
      const lines = [
        tableText(results, process.stdout.columns ?? 160),
        ...findings(results),
        '',
        `Report: ${files.report}`,
        `Numbers: ${files.results}, ${files.table}, ${files.plot}`,
        `Chat with the first: ${this.#chat(results)}`,
      ];
      say(`\n${lines.join('\n')}`);
    }
  }

  #chat({ groups }: ComparisonResults): string {
    const [first] = groups[0]!.entries;
    const { name, options } = first!.entry;
    return chatWith(options, join(this.#comparison.output, name, 'final')).command;
  }

  #printResults(path: string, ran: string[], results: ComparisonResults): void {
    const { groups, metric, files } = results;
    printJson({
      ...{ type: 'done', run: path, ran, ordered_by: metric },
      groups: groups.map(({ name, entries, numbers, suites }) => ({
        ...{ name, seeds: entries.map(({ entry }) => entry.seed), ...numbers },
        ...(Object.keys(suites).length > 0 && { suites }),
      })),
      ...{ findings: findings(results), ...files, chat: this.#chat(results) },
    });
  }
}

const measuredWork: Readonly<Record<(CompareEvent & { type: 'measuring' })['part'], string>> = {
  pairs: 'held-out pairs scored',
  answers: 'held-out prompts answered',
  suites: 'suites measured',
};

/** One entry's numbers on one line. */
function sentence(numbers: EntryNumbers): string {
  const parts = (
    [
      ['win_rate', 'win rate'],
      ['accuracy', 'accuracy'],
      ['margin', 'margin'],
      ['chosen', 'chosen'],
      ['kl', 'KL'],
      ['length', 'length'],
    ] as const
  ).flatMap(([metric, label]) => {
    const summary = numbers[metric];
    return summary === null ? [] : [`${label} ${formatSummary(metric, summary)}`];
  });
  return parts.join('  ');
}

/** The words of the command that resumes a comparison. */
export const compareWords = ({ output }: Pick<CompareOptions, 'output'>): string[] => [
  ...['compare', '--config', join(output, 'compare.yaml')],
];

/** The command that resumes a comparison. */
export const compareCommand = (options: CompareOptions): string =>
  `npx keel ${compareWords(options).map(shellWord).join(' ')}`;

const measuringText = (
  { entries, pairs, prompts, seconds }: MeasuringEstimate,
  { maxNewTokens, reward, evalSuites }: CompareOptions,
): string => {
  const others = [reward !== null && 'the reward', evalSuites !== null && 'the suites'];
  const uncounted = others.filter(Boolean).join(' and ');
  return (
    `To measure: ${entries} ${entries === 1 ? 'model' : 'models'}, each on ${pairs} held-out pairs and ${prompts} prompts, ` +
    `at most ${formatDuration(seconds)} if every answer has ${maxNewTokens} tokens${uncounted && `, not counting ${uncounted}`}.`
  );
};
