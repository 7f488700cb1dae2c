import { join } from 'node:path';
import { type DpoOptions, runDpo } from '@keel/align';
import { shellWord } from '../shell-word.ts';
import { HumanDisplay } from '../training/human-display.ts';
import { JsonDisplay } from '../training/json-display.ts';
import { StopSignals } from '../training/stop-signals.ts';

export async function run(options: DpoOptions): Promise<number> {
  const display = options.json ? new JsonDisplay() : new HumanDisplay();
  using stop = new StopSignals((name) => {
    display.say(`${name}: finishing the step, then a checkpoint. Once more leaves at once.`);
  });
  const began = performance.now();
  try {
    const result = await runDpo(options, {
      onEvent: (event) => display.event(event),
      signal: stop.signal,
    });
    display.close();
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    display.ended({
      ...result,
      seconds,
      chat: chat(options, result.final),
      resume: resume(options),
    });
    return result.interrupted ? stop.exitCode : 0;
  } finally {
    display.close();
  }
}

function chat({ lora, model }: DpoOptions, final: string): string {
  return lora
    ? `npx keel chat --model ${shellWord(model)} --adapter ${shellWord(final)}`
    : `npx keel chat --model ${shellWord(final)}`;
}

const resume = ({ output }: DpoOptions): string =>
  `npx keel dpo --config ${shellWord(join(output, 'config.yaml'))} --resume`;
