// The program of a tokenising thread; see row-tokeniser.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@keel/model';
import type { ThreadAnswer, ThreadRequest, ThreadStart, TokeniseRow } from './tokenise-rows.ts';
import { pack, unpack } from './transfer.ts';

const { definition, module, name, options } = workerData as ThreadStart;
const tokenizer = Tokenizer.fromDefinition(definition);
const exported = (await import(module)) as Record<string, unknown>;
const tokenise = exported[name] as TokeniseRow<unknown, unknown, unknown>;
const port = parentPort!;

port.on('message', ({ id, rows }: ThreadRequest) => {
  const memory: ArrayBuffer[] = [];
  const results = rows.map((row) => {
    try {
      return { tokens: pack(tokenise(unpack(row), tokenizer, options), memory) };
    } catch {
      // The main thread repeats this row, and so throws the error itself.
      return null;
    }
  });
  const answer: ThreadAnswer = { id, results };
  port.postMessage(answer, memory);
});
port.postMessage('ready');
