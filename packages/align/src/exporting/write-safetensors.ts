import { mergeAdapter } from '@keel/model';
import { trimMemory } from '@keel/torch';
import { checkSpace } from '../merging/output-model-folder.ts';
import {
  fingerprints,
  type MergeDType,
  weightBytes,
  writeMerged,
} from '../merging/write-merged.ts';
import { compareEvidence } from './evidence.ts';
import { type ExportJob, progress, type Written, withModel } from './export-job.ts';

const dtypes: Record<string, MergeDType> = { f32: 'fp32', f16: 'fp16', bf16: 'bf16' };

/** The whole model for transformers, as `keel merge` writes it. */
export async function writeSafetensors(folder: string, job: ExportJob): Promise<Written> {
  const { parts, base, adapter, type, expected, onEvent, options } = job;
  const { model, role } = parts;
  const dtype = dtypes[type]!;
  const bytes = weightBytes(model, dtype);
  checkSpace(options.output, bytes);
  const made = { base, adapter, dtype, ...(await fingerprints(model, adapter)) };
  if (adapter !== null) mergeAdapter(model.decoder, role);
  writeMerged(folder, parts, made, progress(job));
  model.dispose();
  trimMemory();
  onEvent({ type: 'checking' });
  const checks = await withModel(folder, (one) => compareEvidence(expected, one, 'reference'));
  return { file: '', bytes, tensors: null, checks, modelfile: null };
}
