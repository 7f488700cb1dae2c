import { ConfigError } from '../../config/config-error.ts';
import { baseUrlOf, type CheckedEndpoint } from './endpoint-spec.ts';

/** A key, and the variable that contains it. */
export interface ApiKey {
  variable: string;
  key: string;
}

/** Shorter ones are placeholders such as EMPTY: hiding them would change ordinary words. */
const SHORTEST_SECRET = 8;

/**
 * Reads the endpoint's key from the environment.
 * @returns null if the endpoint gets none
 * @throws ConfigError if the spec names a variable that is not set, or its value cannot be a key
 */
export function readApiKey(
  spec: Pick<CheckedEndpoint, 'api_key_env' | 'base_url'>,
  environment: NodeJS.ProcessEnv,
): ApiKey | null {
  const variable = spec.api_key_env ?? (spec.base_url === undefined ? 'OPENAI_API_KEY' : null);
  if (variable === null) return null;
  const key = environment[variable]?.trim();
  if (!key) {
    if (spec.api_key_env === undefined && environment.OPENAI_BASE_URL) return null;
    throw new ConfigError([
      `${baseUrlOf(spec, environment)}: the environment variable ${variable} is not set. Set it to your key, or name another one with "api_key_env"`,
    ]);
  }
  // fetch would repeat the value in its error.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError([
      `the environment variable ${variable} contains spaces or characters that no key has. Set it to the key alone`,
    ]);
  }
  return { variable, key };
}

/** Removes the key from a text, since servers may repeat it in errors. */
export function withoutKey(text: string, key: string | null): string {
  if (key === null || key.length < SHORTEST_SECRET) return text;
  return text.replaceAll(key, '[key]');
}
