// keel.json and a model card for a merged or converted model.
import { existsSync } from 'node:fs';
import { baseKind, canonicalModelName } from '@keel/model';
import { writeModelCard } from '../runs/card/model-card.ts';
import {
  type ResultRecord,
  readResultRecord,
  writeResultRecord,
} from '../runs/card/result-record.ts';

export interface MergedParts {
  /** The base's name in Keel. */
  base: string;
  /** The adapter's folder; null if the base was only converted. */
  adapter: string | null;
  /** SHA-256 of the base's files. */
  sha256: string;
  /** Whether the result is a reward model. */
  reward: boolean;
}

/** The result also records how base and adapter were made. */
export function describeMerge(
  folder: string,
  { base, adapter, sha256, reward }: MergedParts,
): void {
  const fromBase = existsSync(base) ? readResultRecord(base) : null;
  const fromAdapter = adapter === null ? null : readResultRecord(adapter);
  const name = canonicalModelName(base);
  const own = { name, sha256, ...baseKind(base) };
  const record: ResultRecord = {
    version: 1,
    kind: 'model',
    use: reward ? 'reward model' : 'language model',
    base: fromBase?.base ?? own,
    origin: fromAdapter?.origin ?? fromBase?.origin ?? own.repository ?? name,
    merged: adapter !== null || fromBase?.merged === true,
    stages: fromAdapter?.stages ?? fromBase?.stages ?? [],
  };
  writeResultRecord(folder, record);
  writeModelCard(folder, record);
}
