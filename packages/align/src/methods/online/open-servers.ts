import { join } from 'node:path';
import type { LanguageModel } from '@keel/model';
import { ServedPolicy } from '../../rollouts/servers/served-policy.ts';
import type { ServerOptions } from './rollout-server-options.ts';
import type { RolloutOptions } from './worker-options.ts';

/**
 * Opens the servers that sample for a run.
 * @param path the run's folder
 * @returns null without `--rollouts`
 * @throws NoServerError if none answers, WrongServerError if one serves another model
 */
export async function openServers(
  options: ServerOptions & RolloutOptions,
  {
    model,
    path,
    notice,
    signal,
  }: {
    model: LanguageModel;
    path: string;
    notice(text: string): void;
    signal: AbortSignal | undefined;
  },
): Promise<ServedPolicy | null> {
  const { rollouts: addresses, rolloutAdapters: folder, samplesInFlight, temperature } = options;
  if (addresses === null) return null;
  return await ServedPolicy.open(
    {
      ...{ model, addresses, samplesInFlight, notice, run: path },
      folder: folder ?? join(path, 'rollout-adapters'),
      timeout: options.rolloutTimeout,
      shapesDistribution: temperature !== 1 || options.topK !== null || options.topP < 1,
    },
    signal,
  );
}
