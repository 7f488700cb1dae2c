// What a request can fail with. A page shows the message; a program reads the code.
import { ConfigError } from '@keel/align/config';
import { DataError } from '@keel/align/data';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ModelServerError } from '../../models/model-servers.ts';
import { PeopleError } from '../../people/people.ts';
import { RoundError } from '../../rounds/watched-rounds.ts';
import { WatchError } from '../../watching/folders/watch-error.ts';

export type StudioStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 429 | 500 | 502;

export class StudioError extends Error {
  readonly status: StudioStatus;
  readonly code: string;
  /** What is wrong with each field, by its path. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    status: StudioStatus,
    code: string,
    message: string,
    fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'StudioError';
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

export const notFound = (what: string): StudioError => new StudioError(404, 'not-found', what);

const peopleStatus: Readonly<Record<PeopleError['code'], StudioStatus>> = {
  wrong: 401,
  'too-many': 429,
  invitation: 404,
  name: 409,
  password: 400,
  'last-admin': 409,
};

const watchStatus: Readonly<Record<WatchError['code'], StudioStatus>> = {
  unknown: 404,
  refused: 409,
  invalid: 400,
};

/** What the client is told. Anything unexpected is logged, and not shown. */
export function asStudioError(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  if (error instanceof PeopleError)
    return new StudioError(peopleStatus[error.code], error.code, error.message);
  if (error instanceof WatchError)
    return new StudioError(watchStatus[error.code], error.code, error.message);
  if (error instanceof RoundError)
    return new StudioError(error.code === 'unknown' ? 404 : 409, error.code, error.message);
  // What the framework refuses, such as a body that is not JSON.
  if (error instanceof HTTPException && error.status < 500)
    return new StudioError(400, 'invalid', error.message);
  if (error instanceof ModelServerError) return new StudioError(502, 'model-server', error.message);
  if (error instanceof ConfigError || error instanceof DataError || error instanceof RangeError)
    return new StudioError(400, 'invalid', error.message);
  return new StudioError(
    500,
    'failed',
    'The Studio could not do this. Its terminal shows what went wrong',
  );
}

/** An error as clients read it. */
export const errorBody = ({ code, message, fields }: StudioError) => ({
  error: { code, message, fields },
});

export const failed = (context: Context, error: StudioError): Response =>
  context.json(errorBody(error), error.status);
