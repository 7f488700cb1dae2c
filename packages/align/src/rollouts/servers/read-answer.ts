// Checks of what servers return, before anything is trained on it.
import {
  type PolicyFacts,
  type ServerAnswer,
  ServerFault,
  type ServerSampling,
  WrongServerError,
} from './rollout-server.ts';
import type { ServerHttp } from './server-http.ts';

/** An answer as a server returned it, in no known form yet. */
export interface RawAnswer {
  tokens: unknown;
  logprobs: unknown;
  /** `stop` or `length`. */
  finish: unknown;
}

/** @throws ServerFault saying what is missing; WrongServerError for tokens of another vocabulary */
export function readAnswer(
  { tokens, logprobs, finish }: RawAnswer,
  { maxNewTokens }: Pick<ServerSampling, 'maxNewTokens'>,
  { endTokens, vocabularySize }: PolicyFacts,
): ServerAnswer {
  const fault = (what: string): ServerFault => new ServerFault(`an answer ${what}`);
  if (!Array.isArray(tokens) || tokens.length === 0) throw fault('has no token ids');
  if (!Array.isArray(logprobs)) throw fault('has no log-probabilities');
  if (logprobs.length !== tokens.length) {
    throw fault(`has ${tokens.length} tokens, but ${logprobs.length} log-probabilities`);
  }
  if (tokens.length > maxNewTokens) {
    throw fault(`has ${tokens.length} tokens, but at most ${maxNewTokens} were asked for`);
  }
  const foreign = tokens.find((one) => !Number.isInteger(one) || one < 0 || one >= vocabularySize);
  if (foreign !== undefined) {
    throw new WrongServerError(
      `it returned the token ${foreign}, but the policy's tokens are 0 to ${vocabularySize - 1}`,
    );
  }
  const wrong = logprobs.find((one) => !Number.isFinite(one) || one > 1e-3);
  if (wrong !== undefined) throw fault(`has the log-probability ${wrong}`);
  const last = tokens.at(-1) as number;
  const ended = endTokens.has(last);
  if (finish !== 'stop' && finish !== 'length') throw fault(`ended with "${finish}"`);
  if (finish === 'stop' && !ended) {
    throw fault(
      `stopped after token ${last}, which ends no answer of the policy (${[...endTokens].join(', ')})`,
    );
  }
  if (!ended && tokens.length < maxNewTokens) {
    throw fault(
      `was cut off after ${tokens.length} of ${maxNewTokens} tokens: the server's context is too short`,
    );
  }
  return { tokens, logprobs, ended };
}

/** @throws ServerFault if there are not as many answers as were asked for */
export function expectAnswers(found: readonly unknown[], { samplesPerPrompt }: ServerSampling) {
  if (found.length === samplesPerPrompt) return;
  throw new ServerFault(`it returned ${found.length} answers instead of ${samplesPerPrompt}`);
}

/**
 * Compares tokenizers through the server's endpoint for it.
 * @returns whether it has one
 * @throws WrongServerError if the tokens differ
 */
export async function sameTokens(
  http: ServerHttp,
  model: string | null,
  { probe }: PolicyFacts,
  signal?: AbortSignal,
): Promise<boolean> {
  const named = model === null ? {} : { model };
  let reply: { tokens?: unknown } | null;
  try {
    const body = { ...named, prompt: probe.text, add_special_tokens: false };
    reply = (await http.ask('/tokenize', body, signal)) as { tokens?: unknown } | null;
  } catch (error) {
    if (error instanceof ServerFault && [404, 405, 501].includes(error.status ?? 0)) return false;
    throw error;
  }
  const tokens = reply?.tokens;
  if (!Array.isArray(tokens)) return false;
  if (tokens.join() === probe.tokens.join()) return true;
  throw new WrongServerError(
    `its tokenizer is not the policy's: ${JSON.stringify(probe.text)} has the tokens ${tokens.join(' ')} there, and ${probe.tokens.join(' ')} here`,
  );
}
