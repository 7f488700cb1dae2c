// The program of a FunctionThread: calls one function, several times concurrently.
import { parentPort, workerData } from 'node:worker_threads';
import { countingLater } from './counting-later.ts';
import type { FunctionPlace, ThreadAnswer, ThreadRequest } from './function-thread.ts';
import { placedText } from './module-fault.ts';
import { type FunctionCall, type FunctionInput, functionInput } from './user-function.ts';
import { importUserModule } from './user-modules.ts';

const { file, name, tokenizer } = workerData as FunctionPlace;
const port = parentPort!;
const say = (answer: ThreadAnswer): void => port.postMessage(answer);
const loaded = importUserModule(file);
const counting = countingLater(tokenizer);
const calls = new Map<number, AbortController>();

async function call(id: number, input: FunctionInput | FunctionInput[]): Promise<void> {
  const stop = new AbortController();
  calls.set(id, stop);
  try {
    const judge = (await loaded)[name] as (input: unknown, call: FunctionCall) => unknown;
    const count = await counting;
    const given = Array.isArray(input)
      ? input.map((one) => functionInput(one, count))
      : functionInput(input, count);
    // A cancelled call does not start.
    if (!stop.signal.aborted) {
      say({ type: 'started', id });
      say({ type: 'result', id, value: await judge(given, { signal: stop.signal }) });
    }
  } catch (error) {
    say({ type: 'error', id, text: placedText(error) });
  } finally {
    calls.delete(id);
  }
}

port.on('message', (request: ThreadRequest) => {
  if (request.type === 'call') void call(request.id, request.input);
  else calls.get(request.id)?.abort(new Error(request.reason));
});
