import { copyFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type LanguageModel,
  loadAdapter,
  loadAdapterHead,
  type Role,
  resolveModel,
  tokenizerFromFolder,
} from '@keel/model';
import { nameBase } from '../merging/name-base.ts';
import { checkSpace } from '../merging/output-model-folder.ts';
import { fingerprints, weightBytes, writeMerged } from '../merging/write-merged.ts';
import { compareEvidence, type ExportChecks } from './evidence.ts';
import { type ExportJob, progress, type Written, withModel } from './export-job.ts';

/** Files of an adapter's folder. */
const adapterFile =
  /^(adapter_config\.json|adapter_model\.safetensors|README\.md|LICENSE|.*\.jinja|.*\.txt|.*\.model|[\w.-]*\.json)$/;

/**
 * The adapter's folder with a base that PEFT and vLLM can load: the one that it names, or, if that
 * is a GGUF file, the base's weights in the folder `base`.
 */
export async function writePeft(folder: string, job: ExportJob): Promise<Written> {
  const { parts, base, options, onEvent } = job;
  const adapter = job.adapter!;
  const names = readdirSync(adapter).filter(
    (name) => adapterFile.test(name) && statSync(join(adapter, name)).isFile(),
  );
  for (const name of names) copyFileSync(join(adapter, name), join(folder, name));
  const path = await resolveModel(base);
  const ownBase = !statSync(path).isDirectory();
  let { size: bytes } = statSync(join(folder, 'adapter_model.safetensors'));
  if (ownBase) {
    const inside = join(folder, 'base');
    bytes += weightBytes(parts.model, 'fp32');
    checkSpace(options.output, bytes);
    const made = { base, adapter: null, dtype: 'fp32', ...(await fingerprints(parts.model, null)) };
    const bare = { model: parts.model, head: null, record: null };
    writeMerged(inside, bare, { ...made, dtype: 'fp32' }, progress(job));
    nameBase(folder, join(resolve(options.output), 'base'));
  } else if (existsSync(base)) {
    nameBase(folder, base);
  }
  onEvent({ type: 'checking' });
  const checks = ownBase
    ? await withModel(join(folder, 'base'), (one) => compared(folder, job, one))
    : await compared(folder, job, parts.model);
  return { file: '', bytes, tensors: null, checks, modelfile: null };
}

const ROLE: Role = 'written';

/** Applies the written adapter to a base. */
async function compared(folder: string, job: ExportJob, model: LanguageModel) {
  const head = loadAdapterHead(model.decoder, folder, { device: model.device });
  loadAdapter(model.decoder, folder, ROLE, { leaveHead: true });
  if (head !== null) model.addScoreHead(ROLE, head);
  const own = existsSync(join(folder, 'tokenizer.json')) ? tokenizerFromFolder(folder) : undefined;
  const checks: ExportChecks = await compareEvidence(job.expected, model, ROLE, own);
  return checks;
}
