// Loads the models of entries, one after the other; adapters of one model share it.
import { type TemplateOptions, templateSettings } from '@keel/align/config';
import { hashAdapter } from '@keel/align/internal';
import { loadAdapter, loadModel, type Precision, type Role } from '@keel/model';
import type { Subject } from '../tasks/task.ts';
import { type EvaluationEntry, hasReference } from './entries.ts';
import { sha256 } from './item-store.ts';

export interface OpenEntryOptions extends TemplateOptions {
  precision: Precision;
  device: string;
}

export interface OpenedEntry {
  entry: EvaluationEntry;
  subject: Subject;
  /** All that outcomes depend on: weights, adapter, tokenizer, precision. */
  identity: string;
}

/** Opens each entry in turn; a model is freed when the next entry has another. */
export async function* openEntries(
  entries: readonly EvaluationEntry[],
  options: OpenEntryOptions,
): AsyncGenerator<OpenedEntry, void, void> {
  const models = [...new Set(entries.map(({ model }) => model))];
  for (const name of models) {
    const own = entries.filter(({ model }) => model === name);
    refuseOtherTemplates(own, options);
    const adapter = own.find((one) => one.adapter !== null)?.adapter ?? null;
    const model = await loadModel(name, {
      template: templateSettings(options, adapter),
      precision: options.precision,
      device: options.device as 'auto' | 'cpu',
    });
    try {
      const roles = new Map<string | null, Role>([[null, 'reference']]);
      const roleOf = (named: string | null): Role => {
        const known = roles.get(named);
        if (known !== undefined) return known;
        const role = `adapter-${roles.size}`;
        loadAdapter(model.decoder, named!, role);
        roles.set(named, role);
        return role;
      };
      for (const entry of own) {
        const role = roleOf(entry.adapter);
        const reference = hasReference(entry) ? roleOf(entry.reference ?? null) : null;
        const adapters = [entry.adapter, entry.reference ?? null];
        const parts = [
          ...[await model.hash(), model.tokenizer.hash, model.decoder.computeType],
          ...adapters.map((one) => (one === null ? '' : hashAdapter(one))),
        ];
        const subject = { name: entry.name, model, role, reference };
        yield { entry, subject, identity: sha256(parts.join('\n')) };
      }
    } finally {
      model.dispose();
    }
  }
}

/** @throws Error if adapters of one model were trained with different chat templates */
function refuseOtherTemplates(
  entries: readonly EvaluationEntry[],
  { chatTemplate = null }: OpenEntryOptions,
): void {
  if (chatTemplate !== null) return;
  const [first, ...others] = entries.flatMap(({ adapter }) => adapter ?? []);
  const sourceOf = (name: string | undefined) => templateSettings({}, name ?? null).source;
  const other = others.find((name) => sourceOf(name) !== sourceOf(first));
  if (other === undefined) return;
  throw new Error(
    `--adapter: ${first} and ${other} were trained with different chat templates. To use one for both, pass --chat-template`,
  );
}
