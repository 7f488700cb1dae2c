// Answers the sample prompts with the current weights, in shares of the processes that train
// together. Greedy decoding draws no random numbers, so sample prompts do not change the training.
import { generateAll, type LanguageModel, type Role } from '@keel/model';
import { phase } from '@keel/torch';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import type { AnswerLine, AnswersLog } from '../runs/answers-log.ts';
import { inSamplingShares } from '../sharing/sampling-shares.ts';
import { StoppedElsewhere } from '../sharing/shared-error.ts';
import type { Notice } from './run-data.ts';
import type { SamplePrompt } from './sample-prompts.ts';

export interface SampledAnswersParts {
  model: LanguageModel;
  role: Role;
  /** What the answers match; null: anything. */
  constraints: AnswerConstraints | null;
  prompts: readonly SamplePrompt[];
  maxNewTokens: number;
  notice: Notice;
  signal: AbortSignal | undefined;
}

export class SampledAnswers {
  readonly #parts: SampledAnswersParts;
  /** Why answers could not be generated; reported once. */
  #failed = false;

  constructor(parts: SampledAnswersParts) {
    this.#parts = parts;
  }

  /**
   * Answers all prompts, unless the log has the answers of this step, and adds them to it.
   * @returns none if they were there already or could not be generated
   * @throws the signal's reason when it fires
   */
  async take(step: number, log: AnswersLog): Promise<AnswerLine[]> {
    if (log.has(step)) return [];
    const { signal, notice } = this.#parts;
    let lines: AnswerLine[];
    try {
      lines = await phase('sample answers', () => this.#generate(step));
    } catch (error) {
      // A signal cuts answers short, so they are not recorded.
      signal?.throwIfAborted();
      if (error instanceof StoppedElsewhere) throw error;
      // Answers are only shown, so a failure must not end the run. A model without finite logits
      // cannot answer.
      if (!this.#failed) {
        notice(`the sample prompts could not be answered after step ${step}: ${error}`);
      }
      this.#failed = true;
      return [];
    }
    log.append(lines);
    return lines;
  }

  async #generate(step: number): Promise<AnswerLine[]> {
    const { model, role, constraints, prompts, maxNewTokens, signal } = this.#parts;
    const answer = async ([first, end]: readonly [number, number]): Promise<AnswerLine[]> => {
      const own = prompts.slice(first, end);
      const tokens = own.map((prompt) => prompt.tokens);
      const options = {
        ...(constraints && { promptConstraints: tokens.map((one) => constraints.of(one)) }),
        ...{ maxNewTokens, temperature: 0, adapter: role, batchSize: own.length },
        ...(signal && { signal }),
      };
      const results = await model.whole(() => generateAll(model, tokens, options));
      signal?.throwIfAborted();
      return results.map(({ promptIndex, text, tokens, finishReason }) => ({
        step,
        prompt: own[promptIndex]!.prompt,
        completion: text,
        tokens: tokens.length,
        ended: finishReason === 'stop',
      }));
    };
    return (await inSamplingShares(prompts.length, model.device, answer)).flat();
  }
}
