import type { Headline } from '../runs/report/report-data.ts';
import type { Recipe } from './recipe.ts';
import { type StageRecord, type StageRecords, writeStageRecords } from './stage-records.ts';
import type { StageState } from './stage-state.ts';

type Result = NonNullable<StageRecord['result']>;

/** Writes to stages.json when a stage starts, stops and ends. */
export class StageRecorder {
  readonly #recipe: Pick<Recipe, 'output'> & { templateDate: string };
  readonly #name: string;
  readonly #records: StageRecords;
  readonly #record: StageRecord;
  readonly #started = performance.now();

  /** @param records updated with the stage's record */
  constructor(
    recipe: Pick<Recipe, 'output'> & { templateDate: string },
    name: string,
    { state, records }: { state: StageState; records: StageRecords },
  ) {
    const before = state.status === 'resume' ? records[name] : undefined;
    this.#recipe = recipe;
    this.#name = name;
    this.#records = records;
    this.#record = {
      identity: state.identity,
      began: before?.began ?? new Date().toISOString(),
      seconds: before?.seconds ?? 0,
      result: null,
    };
    this.#write(0, null);
  }

  /** Since it started in this call. */
  seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** @param result null if it was interrupted */
  save(result: Result | null = null): void {
    this.#write(this.seconds(), result);
  }

  #write(seconds: number, result: Result | null): void {
    const total = Number((this.#record.seconds + seconds).toFixed(1));
    this.#records[this.#name] = { ...this.#record, seconds: total, result };
    writeStageRecords(this.#recipe.output, this.#records, this.#recipe.templateDate);
  }
}

export const recordedHeadlines = (headlines: readonly Headline[] = []): Result['headlines'] =>
  headlines.map(({ before, after, ...headline }) => ({
    ...headline,
    before: before?.value ?? null,
    after: after.value,
    ...(before?.interval && { before_interval: before.interval }),
    ...(after.interval && { after_interval: after.interval }),
  }));
