// What completions and chats have in common: ids, events to answers, and streams of chunks.
import { randomBytes } from 'node:crypto';
import type { GenerationEvent, GenerationResult } from '@keel/model';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { ApiError } from '../api-error.ts';
import type { Generation } from '../engine/engine.ts';

export const newId = (kind: string): string => `${kind}-${randomBytes(12).toString('hex')}`;

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** The answers of a generation, by prompt and sample. */
export async function answersOf(generation: Generation): Promise<GenerationResult[][]> {
  const answers: GenerationResult[][] = [];
  for await (const event of generation) {
    if (event.type !== 'done') continue;
    answers[event.promptIndex] ??= [];
    answers[event.promptIndex]![event.sampleIndex] = event.result;
  }
  return answers;
}

/** What a stream writes for each event. */
export interface StreamWriter {
  /** Chunks before the first event. */
  start(): object[];
  event(event: GenerationEvent): object[];
  /** Chunks after the last event. */
  end(): object[];
}

/** Aborts when the client of a request is gone. */
export class Leaving {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;

  constructor(request: Request) {
    this.signal = AbortSignal.any([request.signal, this.#controller.signal]);
  }

  leave(): void {
    this.#controller.abort();
  }
}

/** Server-sent events in OpenAI's form; a client that leaves ends the generation. */
export function streamed(
  context: Context,
  generation: Generation,
  leaving: Leaving,
  writer: StreamWriter,
): Response {
  return streamSSE(context, async (stream) => {
    const write = async (chunks: readonly object[]): Promise<void> => {
      for (const chunk of chunks) await stream.writeSSE({ data: JSON.stringify(chunk) });
    };
    stream.onAbort(() => leaving.leave());
    try {
      await write(writer.start());
      for await (const event of generation) await write(writer.event(event));
      await write(writer.end());
    } catch (error) {
      await write([apiError(error).body]);
    }
    await stream.writeSSE({ data: '[DONE]' });
  });
}

/** The error to answer with; what is not the client's fault is not shown to it in detail. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RangeError) return new ApiError(400, error.message);
  return new ApiError(500, 'The model failed. The server has written the reason to its log');
}
