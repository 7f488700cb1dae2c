import { DataError, RewardError } from '@keel/align';
import { templateSettings } from '@keel/align/config';
import { placeName, RowFaults } from '@keel/align/data';
import {
  openReward,
  readsPromptsOnly,
  scoreChecked,
  UnreadableInputError,
  whileWaiting,
} from '@keel/align/rewards';
import { setThreads } from '@keel/torch';
import type { ScoreOptions } from '../options/score.ts';
import { complain } from '../terminal.ts';
import { StopSignals } from '../training/stop-signals.ts';
import { sayDryRun } from '../work-plan.ts';
import { droppedText } from './dropped-text.ts';
import { jsonRewards, RewardTable } from './reward-display.ts';
import { judgedRow, openJudged } from './reward-rows.ts';
import { WaitingLine } from './waiting-line.ts';

/** Rows that are read and scored together. */
const CHUNK = 64;

/** `keel score --reward`: scores every answer with a reward. @returns the exit code */
export async function scoreWithReward(options: ScoreOptions, named: string): Promise<number> {
  await using source = await openJudged(options, readsPromptsOnly(named));
  if (source.badRowCount > 0) complain(`${source.badRowCount} bad rows are skipped`);
  const { kind } = source;
  if (options.threads !== null) setThreads(options.threads);
  const { model, precision, device, batchTokens, unsafeCode } = options;
  if (unsafeCode) complain('--unsafe-code: code in answers runs with all rights of this user');
  await using reward = await openReward(named, {
    tokenizer: model,
    precision,
    device: device as 'auto' | 'cpu',
    batchTokens,
    unsafeCode,
    now: templateSettings(options).now,
    calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
    onLost: (fields) =>
      complain(
        `the chat template drops ${droppedText(fields)}, so the reward model does not see it. ` +
          'To see the remaining text, run keel tokens',
      ),
  });
  if (options.dryRun) {
    const parts = {
      rows: { text: `${source.length} (${kind})`, data: source.length },
      reward: { text: reward.name, data: { name: reward.name, spec: named } },
    };
    sayDryRun({ verb: 'score', model: null, parts }, options.json);
    return 0;
  }
  const display = options.json ? jsonRewards(kind) : new RewardTable(kind);
  using waiting = new WaitingLine();
  const faults = new RowFaults(options.onBadRow);
  using stopping = new StopSignals((name) => complain(`${name}: stopping`));
  for (let start = 0; start < source.length; start += CHUNK) {
    if (stopping.signal.aborted) return stopping.exitCode;
    const count = Math.min(CHUNK, source.length - start);
    const indices = Array.from({ length: count }, (_, place) => start + place);
    let rows = (await source.readMany(indices)).map((row, place) => ({
      index: start + place,
      judged: judgedRow(kind, row),
    }));
    while (rows.length > 0) {
      // The row that each answer belongs to.
      const rowOf = rows.flatMap(({ index, judged }) => judged.inputs.map(() => index));
      const inputs = rows.flatMap(({ judged }) => judged.inputs);
      try {
        const judging = scoreChecked(reward, inputs, stopping.signal);
        const outcomes = await whileWaiting(judging, waiting.report);
        waiting.clear();
        let next = 0;
        for (const { index, judged } of rows) {
          const own = outcomes.slice(next, next + judged.inputs.length);
          next += judged.inputs.length;
          display.row(index, judged, own);
        }
        break;
      } catch (error) {
        if (stopping.signal.aborted) return stopping.exitCode;
        if (!(error instanceof RewardError)) throw error;
        const bad = rowOf[error.index]!;
        const place = source.place(bad);
        if (!(error instanceof UnreadableInputError)) {
          throw new Error(`${placeName(place)}: ${error.message}`, { cause: error.cause });
        }
        faults.leaveOut(new DataError({ ...place, found: error.message }, { cause: error.cause }));
        // Scoring leaves a reward unchanged, so the other rows can be scored again.
        rows = rows.filter(({ index }) => index !== bad);
      }
    }
  }
  display.end();
  const notice = faults.notice();
  if (notice !== null) console.error(notice);
  if (faults.count === source.length)
    throw new Error('--data: every row is bad, so there is nothing to score');
  return 0;
}
