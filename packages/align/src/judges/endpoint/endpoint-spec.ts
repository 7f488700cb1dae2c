import { z } from 'zod';

export const OPENAI_URL = 'https://api.openai.com/v1';

/** Fields of a request that Keel sets itself. */
const reserved = [
  ...['model', 'messages', 'stream', 'n', 'temperature', 'seed', 'stop'],
  ...['max_tokens', 'max_completion_tokens', 'logprobs', 'top_logprobs', 'response_format'],
];

/** Of values that may be or contain a key: an error must not repeat them. */
const secret = { params: { secret: true } };

const baseUrlSchema = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'an address such as http://127.0.0.1:8000/v1',
    abort: true,
  })
  .refine(
    (text) => {
      const { username, password, search, hash } = new URL(text);
      return username + password + search + hash === '';
    },
    {
      error:
        'an address without a user, a password, "?" and "#". Put keys in an environment variable',
      ...secret,
    },
  );

const price = z.number().nonnegative();

/** The keys of a spec that say which endpoint answers, and how it is called. */
export const endpointShape = {
  /** The model's name at the endpoint. */
  model: z.string().min(1),
  /** Default: OPENAI_BASE_URL, else OpenAI. */
  base_url: baseUrlSchema.optional(),
  /**
   * The environment variable that contains the key. Default: OPENAI_API_KEY, but none if the spec
   * names a base URL: a key must not go to a server that it is not for.
   */
  api_key_env: z
    .string()
    .refine((name) => /^[A-Za-z_]\w*$/.test(name), {
      error: 'expected the name of an environment variable, not a key itself',
      ...secret,
    })
    .optional(),
  temperature: z.number().min(0).max(2).default(0),
  /** Most tokens of a reply. */
  max_tokens: z.int().positive().default(1024),
  /** Default: none is sent. */
  seed: z.int().optional(),
  /** More fields of the request, such as those of vLLM. */
  extra_body: z
    .record(z.string(), z.unknown())
    .refine((body) => !reserved.some((name) => Object.hasOwn(body, name)), {
      error: `only fields that Keel does not set (${reserved.join(', ')})`,
    })
    .default({}),
  /** Requests at a time. */
  concurrency: z.int().positive().max(1024).default(8),
  /** Seconds for a request; Node waits at most 300 for an answer to start. */
  timeout: z.number().positive().max(300).default(120),
  /** How often a failed request is repeated. */
  retries: z.int().nonnegative().max(20).default(6),
  /** Per million tokens, in any currency. */
  prices: z.strictObject({ prompt: price, answer: price }).optional(),
  /** What all calls together may use, in tokens and in the currency of the prices. */
  budget: z
    .strictObject({
      tokens: z.int().positive().optional(),
      money: z.number().positive().optional(),
    })
    .refine(({ tokens, money }) => tokens !== undefined || money !== undefined, {
      error: '"tokens", "money" or both',
    })
    .optional(),
};

type EndpointKeys = z.output<z.ZodObject<typeof endpointShape>>;

/** Reports a budget in money without prices. */
export function checkEndpoint(
  { budget, prices }: Pick<EndpointKeys, 'budget' | 'prices'>,
  context: z.core.$RefinementCtx,
): void {
  if (budget?.money === undefined || prices !== undefined) return;
  const message = 'a budget in money needs "prices"';
  context.addIssue({ code: 'custom', path: ['budget', 'money'], message, input: budget.money });
}

/** An endpoint that answers, for judging or anything else. */
export const endpointSchema = z.strictObject(endpointShape).superRefine(checkEndpoint);

export type EndpointSpec = z.input<typeof endpointSchema>;
export type CheckedEndpoint = z.output<typeof endpointSchema>;

/** Where requests go. */
export const baseUrlOf = (
  { base_url }: Pick<CheckedEndpoint, 'base_url'>,
  environment: NodeJS.ProcessEnv,
): string => {
  const named = base_url ?? environment.OPENAI_BASE_URL;
  if (!named) return OPENAI_URL;
  return baseUrlSchema.parse(named).replace(/\/+$/, '');
};
