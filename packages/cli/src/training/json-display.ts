import { cutMessage } from '../cut-message.ts';
import { complain, sayJson } from '../terminal.ts';
import type { RunEnding, RunEvent, TrainingDisplay } from './display.ts';
import { runPlanJson } from './run-plan-text.ts';

/** One JSON object per line on stdout, and nothing else; messages for people go to stderr. */
export class JsonDisplay implements TrainingDisplay {
  readonly #of: object;

  /** @param of added to every line: which of several runs it belongs to */
  constructor(of: object = {}) {
    this.#of = of;
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'notice':
        this.say(cutMessage(event.text));
        break;
      case 'plan':
        this.#print({ type: 'plan', ...runPlanJson(event.plan) });
        break;
      case 'data':
        this.#data(event);
        break;
      case 'start':
        this.#print({ type: 'start', step: event.step, total_steps: event.totalSteps });
        break;
      case 'step': {
        const { type, step, totalSteps, metrics } = event;
        this.#print({ type, step, total_steps: totalSteps, ...metrics });
        break;
      }
      case 'evaluation':
        this.#print({ type: 'evaluation', step: event.step, ...event.metrics });
        break;
      case 'answers':
        this.#print({ type: 'answers', step: event.step, answers: event.answers });
        break;
      case 'health':
        this.#print({ type: 'health', ...event.finding });
        break;
      case 'checkpoint':
        this.#print({ type: 'checkpoint', step: event.step, path: event.path });
        break;
      case 'profile': {
        const { type, path, summaryPath, summary } = event;
        this.#print({
          type,
          path,
          summary: summaryPath,
          steps: summary.steps,
          seconds: summary.seconds,
        });
      }
    }
  }

  #data({ type, facts, path }: RunEvent & { type: 'data' }): void {
    const { training, heldOut, duplicates, pairs, overlap, use, warnings } = facts;
    for (const { text } of warnings) this.say(cutMessage(`warning: ${text}`));
    this.#print({
      type,
      rows: training.total,
      examined: training.count,
      held_out_rows: heldOut?.total ?? null,
      kinds: Object.fromEntries(training.kinds.map(({ kind, count }) => [kind, count])),
      chats: training.chats,
      ...(training.probabilities && { label_certainty: training.probabilities.certainty }),
      cut: use.training.cut,
      too_long: use.training.tooLong,
      bad: use.training.bad,
      duplicate_rows: duplicates.rows.count,
      duplicate_prompts: duplicates.prompts.count,
      contradictions: duplicates.contradictions.count,
      chosen_longer: pairs && pairs.chosenLonger / pairs.count,
      longer_wins: pairs?.longerWins.value ?? null,
      held_out_training_rows: overlap?.rows.count ?? null,
      held_out_training_prompts: overlap?.prompts.count ?? null,
      held_out_near_prompts: overlap?.near.count ?? null,
      warnings: warnings.map(({ code }) => code),
      path,
    });
  }

  say(text: string): void {
    complain(text);
  }

  close(): void {}

  ended(ending: RunEnding): void {
    const { interrupted, step, path, final, seconds, use, resume, health, best } = ending;
    if (interrupted) this.#print({ type: 'interrupted', step, run: path, seconds, resume });
    else
      this.#print({
        type: 'final',
        step,
        run: path,
        path: final,
        seconds,
        [use.name]: use.command,
        ...(health && { findings: health.findings.map(({ code }) => code) }),
        ...(best && { best }),
      });
  }

  #print({ type, ...fields }: { type: string } & Record<string, unknown>): void {
    printJson({ type, ...this.#of, ...fields });
  }
}

/** JSON has no NaN: it becomes null. */
export const printJson = (value: object): void => sayJson(value);
