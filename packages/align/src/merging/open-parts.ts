// Opens a base and an optional adapter as `keel merge` and `keel export` need them.
import { existsSync } from 'node:fs';
import {
  classifierPadToken,
  type LanguageModel,
  loadAdapter,
  loadAdapterHead,
  loadModel,
  otherBaseNotice,
  type Role,
  type SaveModelOptions,
} from '@keel/model';
import { templateSettings } from '../config/template-options.ts';
import { readRewardRecord } from '../rewards/reward-record.ts';

/** A model with its adapter, not yet merged, in float32. */
export interface OpenParts {
  model: LanguageModel;
  /** The role that computes what base and adapter compute. */
  role: Role;
  /** The scalar head of a reward model. */
  head: SaveModelOptions['scoreHead'];
  record: ReturnType<typeof readRewardRecord>;
}

/**
 * @param adapter the adapter's folder; null: the base alone
 * @throws CheckpointError if base or adapter is damaged, or they do not fit
 */
export async function openParts(
  base: string,
  adapter: string | null,
  notice: (text: string) => void,
): Promise<OpenParts> {
  const template = templateSettings({}, adapter);
  const model = await loadModel(base, {
    ...{ precision: 'fp32', device: 'cpu', classifier: true, notice },
    template: template.source === undefined ? {} : { source: template.source },
  });
  try {
    if (adapter === null) {
      const classifier = model.hasScoreHead('reference');
      const pad = model.configJson.pad_token_id;
      const record = classifier && existsSync(base) ? readRewardRecord(base) : null;
      const padTokenId = record?.pad_token_id ?? (typeof pad === 'number' ? pad : null);
      const weight = classifier ? model.scoreHead('reference') : null;
      return { model, role: 'reference', head: weight && { weight, padTokenId }, record };
    }
    const role = 'merged';
    const other = await otherBaseNotice(model, adapter);
    if (other !== null) notice(other);
    const weight = loadAdapterHead(model.decoder, adapter, { device: model.device });
    loadAdapter(model.decoder, adapter, role, { leaveHead: true });
    if (weight === null) return { model, role, head: null, record: null };
    model.addScoreHead(role, weight);
    const record = readRewardRecord(adapter);
    const padTokenId = record?.pad_token_id ?? classifierPadToken(model.tokenizer);
    return { model, role, head: { weight, padTokenId }, record };
  } catch (error) {
    model.dispose();
    throw error;
  }
}
