import { openReward, placeName, RewardError, scoreChecked, templateSettings } from '@keel/align';
import { setThreads } from '@keel/torch';
import type { ScoreOptions } from '../options/score.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { jsonRewards, RewardTable } from './reward-display.ts';
import { judgedRow, openJudged } from './reward-rows.ts';

/** Rows that are read and judged together. */
const CHUNK = 64;

/** `keel score --reward`: what a reward says of every answer. @returns the exit code */
export async function scoreWithReward(options: ScoreOptions, named: string): Promise<number> {
  await using source = await openJudged(options);
  if (source.badRowCount > 0) complain(`${source.badRowCount} bad rows are left out`);
  const { kind } = source;
  if (options.threads !== null) setThreads(options.threads);
  const { model, precision, device, batchTokens, unsafeCode } = options;
  if (unsafeCode) complain('--unsafe-code: code of answers runs with all rights of this user');
  await using reward = await openReward(named, {
    tokenizer: model,
    precision,
    device: device as 'auto' | 'cpu',
    batchTokens,
    unsafeCode,
    now: templateSettings(options).now,
    calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
  });
  const display = options.json ? jsonRewards(kind) : new RewardTable(kind);
  using stopping = new StopSignals((name) => complain(`${name}: leaving`));
  for (let start = 0; start < source.length; start += CHUNK) {
    if (stopping.signal.aborted) return stopping.exitCode;
    const count = Math.min(CHUNK, source.length - start);
    const indices = Array.from({ length: count }, (_, place) => start + place);
    const rows = (await source.readMany(indices)).map((row) => judgedRow(kind, row));
    // Which row an answer is of.
    const rowOf = rows.flatMap(({ inputs }, row) => inputs.map(() => start + row));
    const inputs = rows.flatMap((row) => row.inputs);
    try {
      const outcomes = await scoreChecked(reward, inputs, stopping.signal);
      let next = 0;
      rows.forEach((row, place) => {
        const own = outcomes.slice(next, next + row.inputs.length);
        next += row.inputs.length;
        display.row(start + place, row, own);
      });
    } catch (error) {
      if (stopping.signal.aborted) return stopping.exitCode;
      if (!(error instanceof RewardError)) throw error;
      const place = placeName(source.place(rowOf[error.index]!));
      throw new Error(`${place}: ${error.message}`, { cause: error.cause });
    }
  }
  display.end();
  return 0;
}
