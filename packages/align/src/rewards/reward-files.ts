// Lists the files that a reward is read from: a resumed run must find the same ones.
import { dirname, resolve } from 'node:path';
import { baseOfAdapter, loadTokenizer, resolveModel } from '@keel/model';
import { relativeToSpec } from '../config/relative-to-spec.ts';
import { hashPath } from '../data/hash-path.ts';
import type { FileHash } from '../data/open-rows.ts';
import type { ModelJudgeSpec } from '../judges/model/model-judge.ts';
import { judgeKinds } from '../judges/opening/judge-kinds.ts';
import {
  type JudgeSpec,
  membersOf,
  type PanelSpec,
  readJudge,
} from '../judges/opening/read-judge-spec.ts';
import { isSpec } from './open-reward.ts';
import { readRewardSpec } from './read-reward-spec.ts';
import { isAdapter } from './reward-member.ts';
import type { ComponentSpec } from './reward-spec.ts';
import { parseShortForm } from './short-form.ts';

/**
 * Hashes of the files that `--reward` names: a spec and the files that it names, a module, a reward
 * model with the base of its adapter, or a judge's model; none for a rule. Imports of a module are
 * not followed.
 * @throws ConfigError for an invalid reward; Error if a model that it names is not available
 */
export async function rewardFiles(reward: string): Promise<FileHash[]> {
  if (!isSpec(reward)) return componentFiles(parseShortForm(reward), '.');
  const { rewards } = readRewardSpec(reward);
  return [await hashed(reward, reward), ...(await componentsFiles(rewards, dirname(reward)))];
}

/** Hashes of the files that the rewards of a spec name. @throws Error as {@link rewardFiles} */
export async function componentsFiles(
  components: readonly ComponentSpec[],
  folder: string,
): Promise<FileHash[]> {
  const named: FileHash[] = [];
  for (const one of components) named.push(...(await componentFiles(one, folder)));
  return named;
}

async function componentFiles(spec: ComponentSpec, folder: string): Promise<FileHash[]> {
  switch (spec.type) {
    case 'function': {
      const path = spec.module.replace(/#[^#/\\]*$/, '');
      return [await hashed(path, resolve(folder, path))];
    }
    case 'model': {
      const paths = [spec.path].flat().map((one) => relativeToSpec(one, folder));
      if (!isAdapter(paths[0]!)) return Promise.all(paths.map(modelHash));
      const found = await Promise.all(paths.map((one) => hashed(one, one)));
      return [...found, await modelHash(spec.base ?? baseOfAdapter(paths[0]!))];
    }
    case 'judge': {
      if (spec.judge !== undefined) return judgeFiles(readJudge(spec.judge, judgeKinds, folder));
      const model = relativeToSpec(spec.model!, folder);
      const found = [await modelHash(model)];
      const { adapter } = spec;
      return adapter === undefined ? found : [...found, await hashed(adapter, adapter)];
    }
    case 'length': {
      if (spec.tokenizer === undefined) return [];
      const name = relativeToSpec(spec.tokenizer, folder);
      return [{ name, sha256: (await loadTokenizer(name)).hash }];
    }
    default:
      return [];
  }
}

/** The files of a judge: its spec, its members' and their models. */
async function judgeFiles({ spec, folder, file }: JudgeSpec): Promise<FileHash[]> {
  const found = file === null ? [] : [await hashed(file, file)];
  if (spec.type === 'panel') {
    for (const { read } of membersOf(spec as PanelSpec, folder, judgeKinds)) {
      found.push(...(await judgeFiles(read)));
    }
  } else if (spec.type === 'model') {
    const { model, adapter } = spec as ModelJudgeSpec;
    found.push(await modelHash(relativeToSpec(model, folder)));
    if (adapter !== undefined) {
      const path = relativeToSpec(adapter, folder);
      found.push(await hashed(path, path));
    }
  }
  return found;
}

const modelHash = async (name: string): Promise<FileHash> => hashed(name, await resolveModel(name));

const hashed = async (name: string, path: string): Promise<FileHash> => ({
  name,
  sha256: await hashPath(path),
});
