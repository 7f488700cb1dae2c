import { type GgufFileType, type LanguageModel, loadModel } from '@keel/model';
import type { OpenParts } from '../merging/open-parts.ts';
import type { ResultRecord } from '../runs/card/result-record.ts';
import type { Evidence } from './evidence.ts';
import type { ExportEvent, ExportOptions, ExportResult } from './export-options.ts';

/** What an export works on. */
export interface ExportJob {
  options: ExportOptions;
  /** The base's name, with a run's folder replaced by its result. */
  base: string;
  /** The adapter's folder. */
  adapter: string | null;
  type: GgufFileType;
  parts: OpenParts;
  record: ResultRecord;
  expected: Evidence;
  onEvent(event: ExportEvent): void;
}

/** What a form's writer gives. */
export type Written = Pick<ExportResult, 'file' | 'bytes' | 'tensors' | 'checks' | 'modelfile'>;

export const progress =
  ({ onEvent }: ExportJob) =>
  (bytesDone: number, bytesTotal: number): void =>
    onEvent({ type: 'writing', bytesDone, bytesTotal });

/** Loads a written model for a while. */
export async function withModel<Result>(
  path: string,
  use: (model: LanguageModel) => Promise<Result>,
): Promise<Result> {
  const model = await loadModel(path, {
    ...{ precision: 'fp32', device: 'cpu', classifier: true, weightCache: false },
  });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}
