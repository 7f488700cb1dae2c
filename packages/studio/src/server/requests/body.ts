// The JSON body, the query and the path of a request, checked by schemas.
import type { Env, MiddlewareHandler } from 'hono';
import { validator } from 'hono/validator';
import type { z } from 'zod';
import { StudioError } from './errors.ts';

/** @throws StudioError that names every fault */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = Object.fromEntries(
    result.error.issues.map(({ path, message }) => [path.join('.'), message]),
  );
  const text = Object.entries(fields).map(([field, fault]) =>
    field === '' ? fault : `${field}: ${fault}`,
  );
  throw new StudioError(400, 'invalid', text.join('. '), fields);
}

/**
 * The JSON body. A form of another site cannot send JSON without the browser asking first, so
 * other types are refused.
 */
export const body = <Schema extends z.ZodType>(schema: Schema) =>
  validator('json', (value, context): z.output<Schema> => {
    if (!/^application\/json\b/.test(context.req.header('content-type') ?? ''))
      throw new StudioError(415, 'type', 'Send the body as application/json');
    return checked(schema, value);
  }) as unknown as Checked<'json', Schema>;

/** Clients send what a schema takes, with its defaults left out; routes get what it gives. */
type Checked<Place extends 'json', Schema extends z.ZodType> = MiddlewareHandler<
  Env,
  string,
  { in: Record<Place, z.input<Schema>>; out: Record<Place, z.output<Schema>> }
>;

/** Parameters of the query. */
export const query = <Schema extends z.ZodType>(schema: Schema) =>
  validator('query', (value): z.output<Schema> => checked(schema, value));
