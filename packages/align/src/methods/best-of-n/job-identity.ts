import { createHash } from 'node:crypto';
import type { LanguageModel } from '@keel/model';
import type { RowSource } from '../../data/open-rows.ts';
import { rewardFiles } from '../../rewards/reward-files.ts';
import type { JobIdentity } from '../../runs/journal.ts';
import { samplingIdentity } from '../../runs/sampling-job.ts';
import { hashAdapter } from '../../training/run-identity.ts';
import type { BestOfNOptions } from './best-of-n-options.ts';

/** Everything that the answers and their scores depend on; they do not depend on `write`. */
export async function jobIdentity(
  options: BestOfNOptions,
  rows: RowSource<'prompt'>,
  { model, precision }: { model: LanguageModel; precision: string },
): Promise<JobIdentity> {
  const { sampling, adapter, reward, constraint = null } = options;
  const files = await rewardFiles(reward);
  return {
    '--data': await rows.fingerprint(),
    '--model': await model.hash(),
    "--model's tokenizer": model.tokenizer.hash,
    '--chat-template-kwargs': options.chatTemplateKwargs ?? null,
    '--template-date': usesDate(model) ? (options.templateDate ?? null) : null,
    '--adapter': adapter && hashAdapter(adapter),
    '--reward': files.length === 0 ? reward : hashOf(files.map(({ sha256 }) => sha256)),
    '--missing-eos-penalty': options.missingEosPenalty,
    '--num-generations': options.numGenerations,
    ...samplingIdentity(sampling),
    'the constraint': constraint === null ? null : hashOf([JSON.stringify(constraint)]),
    '--batch-size': options.batchSize,
    '--precision': precision,
    '--device': model.device,
  };
}

/** Whether prompts depend on the date. */
const usesDate = ({ tokenizer }: LanguageModel): boolean =>
  tokenizer.chatTemplate?.usesClock === true;

const hashOf = (hashes: readonly string[]): string =>
  createHash('sha256').update(hashes.join('\n')).digest('hex');
