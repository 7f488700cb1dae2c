// An OpenAI-compatible endpoint as a speaker: a critic that is larger than the policy.
import { exactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { readSpec } from '../config/spec-file.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import { EndpointClient, type EndpointOptions } from '../judges/endpoint/endpoint-client.ts';
import { EndpointError } from '../judges/endpoint/endpoint-error.ts';
import {
  type CheckedEndpoint,
  checkEndpoint,
  endpointSchema,
  endpointShape,
} from '../judges/endpoint/endpoint-spec.ts';
import type { Said, Speaker } from './speaker.ts';

const PREFIX = 'endpoint:';

/** Whether a critic or a reviser is named as an endpoint: `endpoint:MODEL`, or a spec file. */
export const isEndpoint = (name: string): boolean =>
  name.startsWith(PREFIX) || /\.(ya?ml|json)$/.test(name);

/**
 * The endpoint that a name stands for.
 * @throws ConfigError for an invalid spec
 */
export function readEndpoint(name: string): CheckedEndpoint {
  if (name.startsWith(PREFIX)) return endpointSchema.parse({ model: name.slice(PREFIX.length) });
  const schema = z
    .strictObject({ type: z.literal('endpoint').optional(), ...endpointShape })
    .superRefine(checkEndpoint);
  const what = 'an endpoint, such as "type: endpoint", "base_url: …" and "model: …"';
  const file = readYamlFile(name, what);
  const { type: _, ...spec } = readSpec(file, schema, { subject: 'the endpoint' });
  return spec;
}

/**
 * @param sampling replaces what the spec says about length and temperature
 * @throws ConfigError if the variable with the key is not set
 */
export function endpointSpeaker(
  spec: CheckedEndpoint,
  sampling: { maxNewTokens: number; temperature: number; stopStrings: readonly string[] },
  options?: EndpointOptions,
): Speaker {
  const client = new EndpointClient(spec, options);
  const { maxNewTokens, temperature, stopStrings } = sampling;
  const stop = stopStrings.length === 0 ? {} : { stop: stopStrings };
  return {
    name: client.name,
    identity: exactJson([client.baseUrl, spec.model, spec.extra_body]),
    async say(conversations, { seed, signal, onTurn }) {
      const how = { ...stop, maxTokens: maxNewTokens, temperature, ...(signal && { signal }) };
      const turns = conversations.map(async ({ messages }, at): Promise<Said> => {
        try {
          // Endpoints take 32-bit seeds.
          const own = (seed + at) % 2 ** 31;
          const { text, finish, refusal } = await client.complete(messages, { ...how, seed: own });
          onTurn?.();
          const said = { text, ended: finish !== 'length' };
          return refusal === null || text !== ''
            ? said
            : { ...said, failed: 'the endpoint refused' };
        } catch (error) {
          if (!(error instanceof EndpointError) || error.scope === 'endpoint') throw error;
          return { text: '', ended: false, failed: error.message };
        }
      });
      const settled = await Promise.allSettled(turns);
      if (signal?.aborted) return null;
      return settled.map((turn) => {
        if (turn.status === 'rejected') throw turn.reason;
        return turn.value;
      });
    },
  };
}
