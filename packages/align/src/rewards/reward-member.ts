// One model of an ensemble of reward models: a role with a scalar head, and its record.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LanguageModel,
  type LoadModelOptions,
  labelsOf,
  loadAdapter,
  loadAdapterHead,
  type Role,
} from '@keel/model';
import { parseExactJson } from '@keel/model/exact-json';
import { savedTemplate } from '../config/template-options.ts';
import { type RewardRecord, readRewardRecord } from './reward-record.ts';

export interface Member {
  role: Role;
  record: RewardRecord;
  heads: number;
}

/** Whether a folder holds an adapter. */
export const isAdapter = (folder: string): boolean =>
  existsSync(join(folder, 'adapter_config.json'));

/**
 * The chat template and variables for a reward model's conversations: those that it was trained
 * with.
 * @throws Error if several models were trained with different ones
 */
export function rewardTemplate(
  folders: readonly string[],
  now: string | undefined,
): NonNullable<LoadModelOptions['template']> {
  const [first, ...others] = folders.map((folder) => ({
    folder,
    source: savedTemplate(folder),
    variables: readRewardRecord(folder)?.chat_template_kwargs ?? null,
  }));
  for (const { folder, source, variables } of others) {
    if (source === first!.source && variables === first!.variables) continue;
    throw new Error(
      `${first!.folder} and ${folder} were trained with different chat templates or template variables, but an ensemble needs the same`,
    );
  }
  const { source, variables } = first!;
  return {
    ...(source !== null && { source }),
    adapters: folders.filter(isAdapter),
    ...(variables !== null && { variables: parseExactJson(variables) as Record<string, unknown> }),
    ...(now !== undefined && { now }),
  };
}

/**
 * The record of a model that another tool saved: it is read as transformers reads it.
 * @throws Error if it has several labels: nothing says which of them is the reward
 */
function foreignRecord(
  model: LanguageModel,
  folder: string,
  heads: number,
  labels: readonly string[] = [],
): RewardRecord {
  if (heads !== 1) {
    const named = labels.length === 0 ? '' : ` (id2label: ${labels.slice(0, 8).join(', ')})`;
    throw new Error(
      `${folder} is a classifier with ${heads} labels${named}, but a reward model has one. Use a model whose score.weight has one row, or one that keel reward trained`,
    );
  }
  const pad = model.configJson.pad_token_id;
  return {
    version: 1,
    scores: 'answers',
    read_at: 'last_not_pad',
    pad_token_id: typeof pad === 'number' ? pad : null,
    step_separator: '\n',
    ensemble: { rule: 'mean', k: 1 },
    normalisation: null,
  };
}

/**
 * A whole model, such as a sequence classifier.
 * @throws Error if it has no scalar head, or several labels
 */
export function wholeMember(model: LanguageModel, folder: string): Member {
  if (!model.hasScoreHead('reference')) {
    throw new Error(
      `${folder} is a language model without a scalar head, not a reward model. Train one with \`keel reward\`, or let the model judge answers: --reward judge:${folder}`,
    );
  }
  const heads = model.scoreHead('reference').dim(0);
  const labels = labelsOf(model.configJson);
  const record = readRewardRecord(folder) ?? foreignRecord(model, folder, heads, labels);
  return { role: 'reference', record, heads };
}

/**
 * Applies an adapter with a scalar head to a model.
 * @throws Error if it has no head; CheckpointError if it does not fit the model
 */
export function adapterMember(model: LanguageModel, folder: string, role: Role): Member {
  const head = loadAdapterHead(model.decoder, folder, { device: model.device });
  if (head === null) {
    throw new Error(
      `${folder} is the adapter of a language model, without a scalar head, not a reward model. Train one with \`keel reward --lora\`. To generate with this one, pass it as --adapter`,
    );
  }
  loadAdapter(model.decoder, folder, role, { leaveHead: true });
  model.addScoreHead(role, head);
  const heads = head.dim(0);
  return { role, record: readRewardRecord(folder) ?? foreignRecord(model, folder, heads), heads };
}
