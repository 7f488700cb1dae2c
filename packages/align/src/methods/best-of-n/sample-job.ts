// Samples and scores all prompts of a best-of-n job.
import { generateAll, type LanguageModel, type Role } from '@keel/model';
import { answerConstraint } from '../../answering/answer-constraint.ts';
import { answerOpening } from '../../batching/answer-start.ts';
import { hiddenNotice, hiddenToken } from '../../batching/hidden-token.ts';
import { promptFault } from '../../batching/prompt-fault.ts';
import { tokenisePrompt } from '../../batching/tokenise-prompt.ts';
import { carriedBeside } from '../../data/carried-columns.ts';
import { DataError, placeName } from '../../data/data-error.ts';
import { asRead, isChat } from '../../data/messages.ts';
import type { RowSource } from '../../data/open-rows.ts';
import { renderingColumns } from '../../data/rendering.ts';
import { RowFaults } from '../../data/row-faults.ts';
import { shapeScores } from '../../objectives/online/token-rewards.ts';
import { thrownText } from '../../rewards/checked-outcomes.ts';
import type { Reward } from '../../rewards/reward.ts';
import { judgeSamples } from '../../rollouts/judge-samples.ts';
import type { PlacedPrompt } from '../../rollouts/prompt-source.ts';
import { rolloutSeed } from '../../rollouts/sample-rollouts.ts';
import type { Journal } from '../../runs/journal.ts';
import type { BestOfNHooks, BestOfNOptions } from './best-of-n-options.ts';
import { type JournalLine, writtenColumns } from './sampled-prompt.ts';
import { BestOfNTally } from './summary.ts';

export interface SampleJobParts {
  options: BestOfNOptions;
  hooks: BestOfNHooks;
  rows: RowSource<'prompt'>;
  model: LanguageModel;
  role: Role;
  reward: Reward;
  journal: Journal<JournalLine>;
  chunk: number;
}

/** Samples a job chunk by chunk into its journal. */
export class SampleJob {
  readonly #parts: SampleJobParts;
  readonly #tally: BestOfNTally;
  #tokens = 0;
  #hiddenNoticed = false;
  #lostNoticed = false;

  constructor(parts: SampleJobParts) {
    const { options, hooks, journal } = parts;
    this.#parts = parts;
    this.#tally = new BestOfNTally(options.numGenerations);
    for (const line of journal.read()) this.#count(line);
    if (journal.length > 0) {
      hooks.onNotice?.(`Resuming after ${journal.length} prompts (${journal.path})`);
    }
  }

  /** @returns whether all prompts are done */
  async sample(): Promise<boolean> {
    const { rows, journal, chunk, hooks } = this.#parts;
    this.#report(0);
    while (journal.length < rows.length) {
      const from = journal.length;
      const count = Math.min(chunk, rows.length - from);
      const lines = await this.#chunk(Array.from({ length: count }, (_, at) => from + at));
      if (lines === null) return false;
      journal.append(lines);
      for (const line of lines) this.#count(line);
      this.#report(0);
      if (hooks.signal?.aborted && journal.length < rows.length) return false;
    }
    return true;
  }

  #count(line: JournalLine): void {
    if ('left_out' in line) this.#tally.addLeftOut(line);
    else this.#tally.add(line);
  }

  /** @param current finished answers of the current chunk */
  #report(current: number): void {
    const { options, hooks, journal, rows } = this.#parts;
    const n = options.numGenerations;
    hooks.onProgress?.({
      answers: journal.length * n + current,
      total: rows.length * n,
      tokens: this.#tokens,
      means: this.#tally.means,
    });
  }

  #noticeLost(lost: readonly string[]): void {
    if (lost.length === 0 || this.#lostNoticed) return;
    this.#lostNoticed = true;
    this.#parts.hooks.onNotice?.(
      `the chat template drops parts of some prompts (of the first: ${lost.join(', ')}), so the model does not see them; keel tokens --for best-of-n shows what is left`,
    );
  }

  /** @returns null if it was stopped before everything was sampled */
  async #chunk(places: readonly number[]): Promise<JournalLine[] | null> {
    const { options, hooks, rows, model, role, reward, chunk } = this.#parts;
    const { numGenerations, sampling, batchSize, missingEosPenalty } = options;
    const template = model.tokenizer.chatTemplate;
    const maxPromptLength = model.decoder.config.maxPositions - sampling.maxNewTokens;
    const read = await rows.readMany(places);
    const bad = new Map<number, string>();
    const prompts = read.flatMap((one, at): PlacedPrompt[] => {
      const row = places[at]!;
      const faults = new RowFaults(options.onBadRow);
      const place = rows.place(row);
      const found = faults.take(place, () => {
        const made = tokenisePrompt(one, model.tokenizer, { maxPromptLength });
        const fault = made && promptFault(made.tokens, model.tokenizer, model.decoder.config);
        if (!fault) return made;
        const advice = `${fault.advice}, or pass --on-bad-row skip`;
        throw new DataError({ ...place, ...fault, advice });
      });
      if (found) {
        this.#noticeLost(found.lost ?? []);
        return [{ ...found, row }];
      }
      if (faults.first !== null) bad.set(row, faults.first);
      return [];
    });
    const { constraint = null } = options;
    const constraints =
      constraint &&
      (await Promise.all(prompts.map(({ tokens }) => answerConstraint(model, constraint, tokens))));
    let done = 0;
    const results = await generateAll(
      model,
      prompts.map(({ tokens }) => tokens),
      {
        ...sampling,
        ...{ samplesPerPrompt: numGenerations, batchSize, adapter: role },
        ...(constraints && { promptConstraints: constraints }),
        // A chunk has the same draws wherever the job starts.
        seed: rolloutSeed(sampling.seed, places[0]! / chunk),
        ...(hooks.signal && { signal: hooks.signal }),
        onEvent: (event) => {
          if (event.type === 'token') this.#tokens += 1;
          else this.#report(++done);
        },
      },
    );
    if (results.some(({ finishReason }) => finishReason === 'aborted')) return null;
    for (const { tokens } of results) {
      const token = hiddenToken(tokens, model.tokenizer);
      if (token === null || this.#hiddenNoticed) continue;
      this.#hiddenNoticed = true;
      hooks.onNotice?.(hiddenNotice(token));
    }
    const samples = results.map(({ promptIndex, tokens, text, finishReason }) => ({
      ...{ group: promptIndex, tokens, text, logprobs: [] },
      ended: finishReason !== 'length',
    }));
    const place = (row: number): string => placeName(rows.place(row));
    const { signal } = hooks;
    const judged = await judgeSamples(
      reward,
      { prompts, samples },
      { learns: false, place, signal, onWait: (seconds) => hooks.onWait?.(seconds) },
    ).catch((error: unknown) => {
      if (signal?.aborted && error === signal.reason) return null;
      const saved = `${this.#parts.journal.length} of ${rows.length} prompts are done and saved`;
      const message = `${thrownText(error)}\n${saved}. Run the same command again to resume.`;
      throw new Error(message, { cause: error });
    });
    if (judged === null) return null;
    const ended = samples.map((one) => one.ended);
    const scores = shapeScores(judged.scores, ended, { missingEosPenalty });
    const lines = places.map((row, at): JournalLine => {
      const group = prompts.findIndex((one) => one.row === row);
      if (group < 0) {
        const fault = bad.get(row);
        return { row, left_out: true, ...(fault !== undefined && { fault }) };
      }
      const own = samples.flatMap((sample, index) => (sample.group === group ? [index] : []));
      const { columns } = carriedBeside(read[at]!.prompt, read[at]!.extra, writtenColumns);
      const opened = answerOpening(prompts[group]!.opened);
      return {
        row,
        prompt: asRead(prompts[group]!.prompt),
        ...(Object.keys(columns).length > 0 && { columns }),
        ...renderingColumns(read[at]!.rendering, isChat(prompts[group]!.prompt) ? template : null),
        ...(opened !== '' && { opened }),
        texts: own.map((sample) => samples[sample]!.text),
        scores: own.map((sample) => scores[sample]!),
        tokens: own.map((sample) => samples[sample]!.tokens.length),
        ended: own.map((sample) => ended[sample]!),
      };
    });
    return lines;
  }
}
