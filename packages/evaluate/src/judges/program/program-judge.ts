// A program in any language as a judge.
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  dialogue,
  type Judge,
  type JudgedPrompt,
  noVerdict,
  wholeAnswer,
} from '@keel/align/judges';
import { hashFiles } from '@keel/model';
import { z } from 'zod';
import { answerRatingOf, pairVerdictOf, shown } from '../returned-verdict.ts';
import { JsonLinesProcess, NoReplyError } from './json-lines-process.ts';

export const programJudgeSchema = z.strictObject({
  type: z.literal('program'),
  /** Its name in results (default: the command). */
  name: z.string().min(1).optional(),
  /** For a shell, in the folder of the spec. */
  command: z.string().min(1),
  /** What it is asked for. */
  does: z.enum(['compare', 'rate', 'both']).default('compare'),
  /** Whether the order of the answers can change its verdict; it is then asked in both. */
  sees_order: z.boolean().default(true),
  /** Requests that it gets before it has replied to the first. */
  concurrency: z.int().positive().max(1024).default(1),
  /** Most seconds until a reply. */
  timeout: z.number().positive().nullable().default(60),
});

export type ProgramJudgeSpec = z.output<typeof programJudgeSchema>;

/** After this many requests in a row without any reply, there are no more. */
const MOST_FAILED = 5;

/**
 * A judge from a program that gets `{"id": 1, "ask": "compare", "prompt": …, "answers": […]}` in a
 * line and replies with `{"id": 1, "first": 0.7}` in a line.
 * @param folder in which it runs
 */
export async function openProgramJudge(spec: ProgramJudgeSpec, folder: string): Promise<Judge> {
  const { command, does, timeout } = spec;
  const process = new JsonLinesProcess({ command, folder, timeout });
  let failed = 0;
  const ask = async <Verdict>(
    request: object,
    read: (reply: unknown) => Verdict,
    signal?: AbortSignal,
  ) => {
    try {
      const reply = await process.ask(request, signal);
      failed = 0;
      if ('failed' in reply) return noVerdict(reasonOf(reply.failed));
      return read(reply);
    } catch (error) {
      if (!(error instanceof NoReplyError)) throw error;
      failed += 1;
      if (failed < MOST_FAILED) return noVerdict(error.message);
      throw new Error(
        `the judge gave no reply ${failed} times in a row, so it is not asked again. ${error.message}`,
      );
    }
  };
  return {
    name: spec.name ?? command,
    identity: await identityOf(spec, folder),
    concurrency: spec.concurrency,
    seesOrder: spec.sees_order,
    ...(does !== 'rate' && {
      compare: ({ answers, ...asked }, signal) =>
        ask(
          {
            ask: 'compare',
            ...about(asked),
            answers: answers.map((completion) => wholeAnswer({ completion })),
          },
          pairVerdictOf,
          signal,
        ),
    }),
    ...(does !== 'compare' && {
      rate: ({ answer, ...asked }, signal) =>
        ask(
          { ask: 'rate', ...about(asked), answer: wholeAnswer({ completion: answer }) },
          answerRatingOf,
          signal,
        ),
    }),
    [Symbol.asyncDispose]: () => process.close(),
  };
}

/** The prompt as text and, if it is a chat, as messages; the reference and the other fields. */
const about = ({ prompt, rendering, reference, extra }: JudgedPrompt): object => ({
  prompt: dialogue({ prompt, rendering }),
  ...(typeof prompt !== 'string' && { messages: prompt }),
  ...(reference !== undefined && { reference: wholeAnswer({ completion: reference }) }),
  extra,
});

const reasonOf = (failed: unknown): string =>
  typeof failed === 'string' && failed !== '' ? failed : `"failed" is ${shown(failed)}`;

/** Files that the command names are part of its identity. */
async function identityOf({ command }: ProgramJudgeSpec, folder: string): Promise<string> {
  const files = command
    .split(/\s+/)
    .map((word) => resolve(folder, word.replace(/^['"]|['"]$/g, '')))
    .filter((path) => existsSync(path) && statSync(path).isFile());
  const hashes = await Promise.all(files.map((path) => hashFiles([path])));
  const identity = JSON.stringify(['program 1', command, hashes]);
  return createHash('sha256').update(identity).digest('hex');
}
