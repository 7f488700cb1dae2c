// Who may use the server: a key, and hosts that are meant.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Demands the key as a bearer token. Its comparison takes the same time for every other key. */
export function demandKey(key: string): MiddlewareHandler {
  const expected = digest(key);
  return async (context, next) => {
    const [, given] = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(digest(given), expected)) {
      throw new ApiError(
        401,
        'The API key is missing or wrong. Send it as "Authorization: Bearer KEY"',
        { code: 'invalid_api_key' },
      );
    }
    await next();
  };
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

/** Whether only programs of this machine can reach an address. */
export const isLoopback = (host: string): boolean => loopback.test(host) || host === '::1';

/**
 * Whether a request was sent by a page of another site, or is for another host than this machine:
 * a name that an attacker's DNS server points at this machine is such a host.
 * @param origin the Origin header; undefined if there is none
 * @param origins origins that may send requests too
 */
export function isForeign(
  host: string,
  origin: string | undefined,
  origins: readonly string[],
): boolean {
  const known = (one: string) => origins.includes(one) || loopback.test(one.replace(scheme, ''));
  return !loopback.test(host) || (origin !== undefined && !known(origin));
}

const scheme = /^https?:\/\//;

/**
 * Refuses requests that a page of another site makes the browser send to this machine: their Host
 * or Origin is not this machine's.
 */
export const demandLocal = (origins: readonly string[]): MiddlewareHandler => {
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const origin = context.req.header('origin');
    if (isForeign(host, origin, origins)) {
      throw new ApiError(
        403,
        `The request is for ${host || 'no host'}${origin === undefined ? '' : ` from ${origin}`}, and this server serves this machine only. Allow an origin with --allow-origin`,
      );
    }
    await next();
  };
};
