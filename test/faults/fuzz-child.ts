// Reads damaged files one after the other, in a process that they may crash.
import { isEngineError } from '@keel/model';
import { targets } from './targets.ts';

export interface Task {
  target: string;
  folder: string;
  file: string;
}

/** `fault` is null if the input was handled well. */
export type Verdict = { fault: string | null; outcome: 'read' | 'refused' };

const known = new Set([
  ...['CheckpointError', 'TokenizerError', 'ChatTemplateError', 'ConfigError'],
  ...['DataError', 'DataErrors', 'Error'],
]);
const engineWords =
  /Cannot (?:read|set|convert|destructure)|is not (?:a function|iterable)|\bundefined\b(?! filter)|\[object |call stack|Invalid array length|DataView/;

let stray: unknown = null;
process.on('unhandledRejection', (error) => {
  stray = error;
});
process.on('uncaughtException', (error) => {
  stray = error;
});

function faultOf(error: unknown, { folder }: Task): string | null {
  if (!(error instanceof Error)) return `threw no error: ${String(error)}`;
  const { name, message, stack } = error as Error;
  const text = `${name}: ${message.slice(0, 500)}`;
  // A model may only accept short texts.
  if (/^a sequence has \d+ tokens/.test((error as Error).message)) return null;
  if (isEngineError(error) || !known.has(name)) return `${text}\n${stack}`;
  if (
    name !== 'ChatTemplateError' &&
    engineWords.test(message) &&
    !message.includes("' is undefined")
  )
    return text;
  const named = message.includes(folder) || name === 'ChatTemplateError';
  return named ? null : `names no file: ${text}`;
}

async function judge(task: Task): Promise<Verdict> {
  const target = targets.find(({ name }) => name === task.target)!;
  stray = null;
  let verdict: Verdict = { fault: null, outcome: 'read' };
  try {
    const numbers = await target.read(task.folder);
    if (numbers?.some((value) => !Number.isFinite(value))) {
      verdict = { fault: `returns ${numbers.join(', ')} without an error`, outcome: 'read' };
    }
  } catch (error) {
    verdict = { fault: faultOf(error, task), outcome: 'refused' };
  }
  await new Promise((resolve) => setImmediate(resolve));
  if (stray !== null) {
    const text = stray instanceof Error ? stray.stack : String(stray);
    return { ...verdict, fault: `an error that nobody caught: ${text}` };
  }
  return verdict;
}

if (process.send) {
  process.on('message', async (message: Task | { prepare: string; folder: string }) => {
    if ('prepare' in message) {
      try {
        await targets.find(({ name }) => name === message.prepare)!.prepare(message.folder);
        process.send!({ prepared: true });
      } catch (error) {
        process.send!((error as Error).stack ?? String(error));
      }
    } else process.send!(await judge(message));
  });
  process.on('disconnect', () => process.exit());
}
