import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import {
  baseKind,
  canonicalModelName,
  type GgufModel,
  ggufAdapter,
  ggufModel,
  type Lineage,
  loadGgufAdapter,
  mergeAdapter,
  modelLicense,
  resolveModel,
} from '@keel/model';
import { trimMemory } from '@keel/torch';
import { hashPath } from '../data/hash-path.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { checkSpace } from '../merging/output-model-folder.ts';
import { writeResultRecord } from '../runs/card/result-record.ts';
import { compareEvidence } from './evidence.ts';
import { type ExportJob, progress, type Written, withModel } from './export-job.ts';
import { type GgufCardParts, ggufCard } from './gguf-card.ts';
import { modelfile } from './modelfile.ts';

/** The merged model as a GGUF file, with a Modelfile. */
export async function writeGgufFolder(folder: string, job: ExportJob): Promise<Written> {
  const { parts, expected, type, onEvent, adapter } = job;
  const { model, role } = parts;
  if (adapter !== null) mergeAdapter(model.decoder, role);
  const made = ggufModel(model, { type, lineage: await lineageOf(job), onProgress: progress(job) });
  const file = await writeChecked(folder, job, made);
  const { text, hasTemplate } = modelfile({ from: `./${file}`, tokenizer: model.tokenizer });
  writeFileAtomic(join(folder, 'Modelfile'), text);
  if (!hasTemplate) noticeTemplate(job);
  model.dispose();
  trimMemory();
  onEvent({ type: 'checking' });
  const checks = await withModel(join(folder, file), (one) =>
    compareEvidence(expected, one, 'reference'),
  );
  describe(folder, { job, file, checks, modelfile: true });
  const written = { template: hasTemplate };
  return { file, bytes: made.bytes, tensors: made.types, checks, modelfile: written };
}

/** The adapter alone as a GGUF file. */
export async function writeAdapterGguf(folder: string, job: ExportJob): Promise<Written> {
  const { parts, expected, type, onEvent, base } = job;
  const { model, role } = parts;
  const made = ggufAdapter(model, role, {
    ...{ type: type as 'f32' | 'f16' | 'bf16', lineage: await lineageOf(job) },
    onProgress: progress(job),
  });
  const file = await writeChecked(folder, job, made);
  const path = await resolveModel(base);
  // ollama needs the file of the base.
  const isFile = !statSync(path).isDirectory();
  const { tokenizer } = model;
  const own = isFile ? modelfile({ from: resolve(path), adapter: `./${file}`, tokenizer }) : null;
  if (own !== null) writeFileAtomic(join(folder, 'Modelfile'), own.text);
  onEvent({ type: 'checking' });
  loadGgufAdapter(model.decoder, join(folder, file), 'written');
  const checks = await compareEvidence(expected, model, 'written');
  describe(folder, { job, file, checks, modelfile: own !== null });
  const written = own === null ? null : { template: own.hasTemplate };
  return { file, bytes: made.bytes, tensors: made.types, checks, modelfile: written };
}

/** @returns the file's name */
async function writeChecked(folder: string, job: ExportJob, made: GgufModel): Promise<string> {
  const { options, type, onEvent } = job;
  checkSpace(options.output, made.bytes);
  for (const text of made.notices) onEvent({ type: 'notice', text });
  const file = `${basename(resolve(options.output))}-${type}.gguf`;
  made.write(join(folder, file));
  return file;
}

function noticeTemplate({ onEvent, parts }: ExportJob): void {
  const has = parts.model.tokenizer.chatTemplate !== null;
  onEvent({
    type: 'notice',
    text: has
      ? 'the Modelfile has no TEMPLATE, since the chat template does more than put texts around messages. ollama uses its own version if it recognises the template; otherwise add a TEMPLATE by hand'
      : 'the model has no chat template, so the Modelfile has no TEMPLATE',
  });
}

async function lineageOf({ options, base, adapter, record, parts }: ExportJob): Promise<Lineage> {
  const { repository } = baseKind(base);
  return {
    name: basename(resolve(options.output)),
    base: {
      ...{ name: canonicalModelName(base), repository: record.base.repository ?? repository },
      sha256: await parts.model.hash(),
    },
    adapterSha256: adapter === null ? null : await hashPath(adapter),
    methods: record.stages.map(({ verb }) => verb),
    license: modelLicense(await resolveModel(base)),
  };
}

function describe(folder: string, parts: GgufCardParts & { job: ExportJob }): void {
  writeResultRecord(folder, parts.job.record);
  writeFileAtomic(join(folder, 'README.md'), ggufCard(parts));
}
