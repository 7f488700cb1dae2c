// Runs a tokenizer in a separate process. The library ends the process when a regular expression
// makes ten million attempts, and some take practically forever. See encoding-guard.ts.
import { encode, type Loaded, load } from './encoding-library.ts';
import type {
  Answer,
  Description,
  EncodedBatch,
  EncodeRequest,
  LoadMessage,
} from './encoding-protocol.ts';

let loaded: Loaded | undefined;

const answerTo = async (
  message: LoadMessage | EncodeRequest,
): Promise<Description | EncodedBatch> => {
  if (message.kind === 'encode') return encode(loaded!, message);
  loaded = await load(message);
  return loaded.description;
};

process.on('message', async (message: LoadMessage | EncodeRequest) => {
  let answer: Answer<Description | EncodedBatch>;
  try {
    answer = { value: await answerTo(message) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(answer);
});
// The parent may be killed at any time.
process.on('disconnect', () => process.exit());
