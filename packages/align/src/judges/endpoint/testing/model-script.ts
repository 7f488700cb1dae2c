// A language model of Keel behind an OpenAI-compatible endpoint.
import { generateAll, type LanguageModel } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import type { ChatRequest, Reply, Script, ScriptedToken } from './scripted-endpoint.ts';

/**
 * Answers as the model does, for {@link openScriptedEndpoint}: with temperature, seed, stop strings,
 * limits and log-probabilities, but without JSON schemas, which it refuses. One request at a time.
 */
export function modelScript(model: LanguageModel): Script {
  let last: Promise<unknown> = Promise.resolve();
  return (request) => {
    const reply = last.then(() => replyOf(model, request));
    last = reply.catch(() => {});
    return reply;
  };
}

async function replyOf(model: LanguageModel, request: ChatRequest): Promise<Reply> {
  const { tokenizer, decoder } = model;
  if (request.response_format !== undefined) {
    return refusal('response_format is not supported', 'response_format');
  }
  const { messages, temperature = 1, seed = 0, stop = [], top_logprobs = 0 } = request;
  const text = tokenizer.chatTemplate!.render(messages, { addGenerationPrompt: true });
  const prompt = tokenizer.encode(text);
  if (prompt.length >= decoder.config.maxPositions) {
    return refusal(`the maximum context length is ${decoder.config.maxPositions} tokens`, null);
  }
  const listed: [token: string, probability: number][][] = [];
  const wordOf = (token: number): string => tokenizer.decode([token], { skipSpecialTokens: false });
  const [result] = await generateAll(model, [prompt], {
    ...{ temperature, seed, stopStrings: stop },
    maxNewTokens: request.max_tokens ?? request.max_completion_tokens ?? 256,
    ...(request.logprobs && {
      logprobs: true,
      logitsProcessor: (_, logits) => {
        const logprobs = tidy(() => noGrad(() => logits.logSoftmax(-1).toArray())) as number[];
        const best = logprobs
          .map((logprob, token) => ({ logprob, token }))
          .sort((one, other) => other.logprob - one.logprob)
          .slice(0, Math.max(top_logprobs, 1));
        listed.push(best.map(({ logprob, token }) => [wordOf(token), Math.exp(logprob)]));
        return logits;
      },
    }),
  });
  const stopped = result!.finishReason === 'stop';
  const tokens: ScriptedToken[] = result!.tokens
    .map((token, index) => ({
      ...{ token: wordOf(token), top: listed[index] ?? [] },
      ...(result!.logprobs !== undefined && { logprob: result!.logprobs[index]! }),
    }))
    // The end of the turn is not a part of the answer.
    .slice(0, stopped ? -1 : undefined);
  return {
    text: result!.text,
    finish: result!.finishReason === 'length' ? 'length' : 'stop',
    usage: { prompt: prompt.length, answer: result!.tokens.length },
    ...(request.logprobs && { tokens }),
  };
}

const refusal = (message: string, param: string | null): Reply => ({
  ...{ status: 400, body: { error: { message, param, type: 'invalid_request_error' } } },
});
