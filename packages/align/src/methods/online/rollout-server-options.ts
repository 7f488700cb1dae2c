// Options of runs whose answers are sampled by servers.
import { z } from 'zod';
import { option } from '../../config/options.ts';
import {
  correctionModes,
  type SamplerCorrection,
} from '../../objectives/online/sampler-correction.ts';
import { serverAddress } from '../../rollouts/servers/find-server.ts';

const group = 'Sampling';

/** Options of every online verb. */
export const serverShape = {
  rollouts: option(
    z
      .array(
        z
          .string()
          .regex(
            serverAddress,
            'expected an address such as http://host:8000, or vllm+http://… or sglang+http://…',
          ),
      )
      .min(1)
      .nullable()
      .default(null),
    {
      description:
        "servers that sample the answers: keel serve, vLLM or SGLang with the run's base and adapters; several share the prompts",
      group,
      value: 'url',
      shownDefault: 'answers are sampled by the run itself',
    },
  ),
  rolloutAdapters: option(z.string().min(1).nullable().default(null), {
    description:
      "folder into which the policy's adapter is written for the servers of --rollouts, which must see it under the same path",
    group,
    value: 'folder',
    shownDefault: "rollout-adapters in the run's folder",
  }),
  rolloutTimeout: option(z.number().positive().default(600), {
    description:
      'time limit for a request to a server of --rollouts, in seconds: all answers to one prompt',
    group,
    value: 'seconds',
  }),
  asyncRollouts: option(z.number().int().min(0).max(1).default(0), {
    description:
      'with --rollouts: batches that are sampled ahead, while the policy trains on the one before; their answers are of the policy before that batch',
    group,
    value: 'batches',
  }),
};

/** Options of verbs that train every token by its advantage. */
export const correctionShape = {
  rolloutCorrection: option(z.enum(['auto', 'none', ...correctionModes]).default('auto'), {
    description:
      'multiply losses by the importance ratio of trainer and sampler, truncated at --rollout-correction-max or masked above it, per token or per answer; auto: sequence_mask with --rollouts, otherwise none',
    group: 'Policy update',
  }),
  rolloutCorrectionMax: option(z.number().positive().default(3), {
    description: 'upper bound of the importance ratio of trainer and sampler',
    group: 'Policy update',
    value: 'ratio',
  }),
};

export interface ServerOptions {
  rollouts: string[] | null;
  rolloutAdapters: string | null;
  rolloutTimeout: number;
  asyncRollouts: number;
}

export interface CorrectionOptions {
  rollouts: string[] | null;
  rolloutCorrection: SamplerCorrection['mode'] | 'auto' | 'none';
  rolloutCorrectionMax: number;
}

/** null: losses are not corrected */
export function correctionOf(options: CorrectionOptions): SamplerCorrection | null {
  const { rollouts, rolloutCorrection: asked, rolloutCorrectionMax: max } = options;
  const usual = rollouts === null ? 'none' : 'sequence_mask';
  const mode = asked === 'auto' ? usual : asked;
  return mode === 'none' ? null : { mode, max };
}

/** Calls `add` for each of these options that cannot be used as given. */
export function checkServers(
  value: ServerOptions & { lora: boolean; constrained: boolean },
  add: (name: string, message: string) => void,
): void {
  const { rollouts, rolloutAdapters, asyncRollouts, lora, constrained } = value;
  if (rollouts === null) {
    const without = 'has no effect without --rollouts';
    if (rolloutAdapters !== null) add('rolloutAdapters', without);
    if (asyncRollouts > 0) add('asyncRollouts', without);
    return;
  }
  const twice = rollouts.find((one, at) => rollouts.indexOf(one) !== at);
  if (twice !== undefined) add('rollouts', `${twice} is listed twice`);
  if (!lora) {
    add(
      'rollouts',
      'servers get the policy as an adapter, so it needs LoRA. Remove --no-lora, or sample without --rollouts',
    );
  }
  if (constrained) {
    add(
      'rollouts',
      'answers that must match a format are sampled by the run itself. Remove --rollouts or the format',
    );
  }
}
