// `keel export`: writes a model, or an adapter, in the form that another program reads. Then reads
// it back, and keeps it only if it computes the same.
import { join } from 'node:path';
import { type GgufFileType, resolveModel } from '@keel/model';
import { trimMemory } from '@keel/torch';
import { runResult } from '../config/run-result.ts';
import { writeFolderAtomic } from '../files/atomic-write.ts';
import { mergedRecord } from '../merging/describe-merge.ts';
import { type OpenParts, openParts } from '../merging/open-parts.ts';
import { checkOutput, exportFolder } from '../merging/output-model-folder.ts';
import { evidenceOf } from './evidence.ts';
import type { ExportJob, Written } from './export-job.ts';
import type { ExportEvent, ExportOptions, ExportResult } from './export-options.ts';
import { demand } from './limits.ts';
import { writeAdapterGguf, writeGgufFolder } from './write-gguf-folder.ts';
import { writePeft } from './write-peft.ts';
import { writeSafetensors } from './write-safetensors.ts';

/**
 * Writes the whole export in `output`, or nothing.
 * @throws ExportError if the form has no counterpart to the model, its tokenizer or the type
 * @throws CheckpointError if base or adapter is damaged, or they do not fit
 * @throws Error if `output` is not free, the disk is too small, or the written files compute
 *   something else. `output` is unchanged then
 */
export async function exportModel(
  options: ExportOptions,
  onEvent: (event: ExportEvent) => void = () => {},
): Promise<ExportResult> {
  const { to, output, overwrite = false } = options;
  const base = runResult(options.model);
  const adapter = options.adapter === null ? null : runResult(options.adapter);
  if (adapter === null && (to === 'peft' || to === 'adapter-gguf')) {
    throw new Error(`--to ${to} needs --adapter: it writes the adapter alone`);
  }
  const path = await resolveModel(base);
  checkOutput(output, adapter === null ? [path] : [path, adapter], overwrite, exportFolder);
  onEvent({ type: 'loading', name: options.model });
  const parts = await openParts(base, adapter, (text) => onEvent({ type: 'notice', text }));
  try {
    const { model, role } = parts;
    const type = options.type === 'auto' ? usualType(to, parts) : options.type;
    refuseType(to, type);
    onEvent({ type: 'recording' });
    const expected = await evidenceOf(model, role);
    const { scores } = expected.probe;
    if (scores && (to === 'gguf' || to === 'adapter-gguf')) {
      throw new Error(
        `--to ${to}: this is a reward model, and llama.cpp has no scalar heads for its family. Use --to safetensors or --to peft`,
      );
    }
    const record = mergedRecord({
      ...{ base, adapter, sha256: await model.hash(), reward: scores },
    });
    const job: ExportJob = { options, base, adapter, type, parts, record, expected, onEvent };
    let written: Written | undefined;
    await writeFolderAtomic(output, async (folder) => {
      written = await writers[to](folder, job);
      const size = expected.probe.values.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      demand(written.checks, type, size);
    });
    return {
      ...{ output, to, dtype: type, kind: scores ? 'reward model' : 'language model' },
      ...written!,
      file: join(output, written!.file),
    };
  } finally {
    parts.model.dispose();
    trimMemory();
  }
}

type Writer = (folder: string, job: ExportJob) => Promise<Written>;

const writers: Record<ExportOptions['to'], Writer> = {
  safetensors: writeSafetensors,
  gguf: writeGgufFolder,
  'adapter-gguf': writeAdapterGguf,
  peft: writePeft,
};

function usualType(to: ExportOptions['to'], { model }: OpenParts): GgufFileType {
  if (to === 'gguf') return 'f16';
  if (to !== 'safetensors') return 'f32';
  const named = model.configJson.dtype ?? model.configJson.torch_dtype;
  return named === 'bfloat16' ? 'bf16' : named === 'float16' ? 'f16' : 'f32';
}

function refuseType(to: ExportOptions['to'], type: GgufFileType): void {
  const known = to === 'peft' ? ['f32'] : ['f32', 'f16', 'bf16'];
  if (to === 'gguf' || known.includes(type)) return;
  throw new Error(
    `--type ${type}: --to ${to} writes ${known.join(', ')}. Quantised types need --to gguf`,
  );
}
