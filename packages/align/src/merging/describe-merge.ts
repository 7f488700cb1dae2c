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

/** The record of a result of base and adapter, which also says how these were made. */
export function mergedRecord({ base, adapter, sha256, reward }: MergedParts): ResultRecord {
  const fromBase = existsSync(base) ? readResultRecord(base) : null;
  const fromAdapter = adapter === null ? null : readResultRecord(adapter);
  const name = canonicalModelName(base);
  const own = { name, sha256, ...baseKind(base) };
  return {
    version: 1,
    kind: 'model',
    use: reward ? 'reward model' : 'language model',
    base: fromBase?.base ?? own,
    origin: fromAdapter?.origin ?? fromBase?.origin ?? own.repository ?? name,
    merged: adapter !== null || fromBase?.merged === true,
    stages: fromAdapter?.stages ?? fromBase?.stages ?? [],
  };
}

export function describeMerge(folder: string, parts: MergedParts): void {
  const record = mergedRecord(parts);
  writeResultRecord(folder, record);
  writeModelCard(folder, record);
}
