// What an endpoint accepts. It starts with everything; a refusal that names a parameter removes it.
import type { ServerWords } from './server-words.ts';

/** The most tokens that OpenAI lists in the place of one; others list fewer. */
const MOST_TOP = 20;
const FEW_TOP = 5;

const limits = ['max_tokens', 'max_completion_tokens'] as const;

/** What an endpoint may not have, and a caller may insist on. */
export type Feature = 'logprobs' | 'schema';

export class Features {
  /** Most tokens that it lists in the place of one; 0 if it gives no log-probabilities. */
  topLogprobs = MOST_TOP;
  /** Whether it accepts a JSON schema for its reply. */
  schema = true;
  temperature = true;
  seed = true;
  stop = true;
  /** The name of the limit on the reply's tokens; null if it takes none. */
  limit: (typeof limits)[number] | null;
  readonly #refusedLimits = new Set<string>();

  /** @param current whether the endpoint is OpenAI, whose newer models refuse `max_tokens` */
  constructor(current: boolean) {
    this.limit = current ? 'max_completion_tokens' : 'max_tokens';
  }

  has(feature: Feature): boolean {
    return feature === 'logprobs' ? this.topLogprobs > 0 : this.schema;
  }

  /**
   * Removes what a refusal names, if the refused request contained it.
   * @returns what is different now, in words; null if the refusal names nothing that can be left
   *   out
   */
  adapt(words: ServerWords, sent: Readonly<Record<string, unknown>>): string | null {
    const named = namedIn(words, sent);
    switch (named) {
      case 'top_logprobs':
      case 'logprobs':
        // Another request may have found it out already.
        if (this.topLogprobs > (sent.top_logprobs as number) - 1) {
          this.topLogprobs = sent.top_logprobs === MOST_TOP && listsFewer(words) ? FEW_TOP : 0;
        }
        return this.topLogprobs === 0
          ? 'it gives no log-probabilities'
          : `it lists at most ${this.topLogprobs} log-probabilities`;
      case 'response_format':
        this.schema = false;
        return 'it accepts no JSON schema';
      case 'max_tokens':
      case 'max_completion_tokens':
        this.#refusedLimits.add(named);
        this.limit = limits.find((name) => !this.#refusedLimits.has(name)) ?? null;
        return this.limit === null
          ? 'it takes no limit of tokens'
          : `it takes "${this.limit}" instead of "${named}"`;
      case 'temperature':
        this.temperature = false;
        return 'it takes no temperature, so that its verdicts are sampled';
      case 'seed':
        this.seed = false;
        return 'it takes no seed';
      case 'stop':
        this.stop = false;
        return 'it takes no "stop"';
      default:
        return null;
    }
  }
}

/** Parameters and the words by which servers name them. Longer names come first. */
const names: readonly [parameter: string, pattern: RegExp][] = [
  ['top_logprobs', /top_logprobs/i],
  ['logprobs', /log_?-?prob/i],
  ['response_format', /response_?format|json_?-? ?schema|structured|guided|grammar/i],
  ['max_tokens', /max_tokens/i],
  ['max_completion_tokens', /max_completion_tokens/i],
  ['temperature', /temperature/i],
  ['seed', /\bseed\b/i],
  ['stop', /\bstop\b/i],
];

function namedIn(
  { param, message }: ServerWords,
  sent: Readonly<Record<string, unknown>>,
): string | null {
  for (const text of [param, message]) {
    if (text === null) continue;
    const found = names
      .filter(([parameter]) => Object.hasOwn(sent, parameter))
      .map(([parameter, pattern]) => ({ parameter, at: text.search(pattern) }))
      .filter(({ at }) => at >= 0)
      .sort((one, other) => one.at - other.at);
    if (found.length > 0) return found[0]!.parameter;
  }
  return null;
}

/** Whether a refusal is about the number of log-probabilities. */
const listsFewer = ({ message }: ServerWords): boolean =>
  /max|at most|less|greater|between|exceed|\b20\b/i.test(message);
